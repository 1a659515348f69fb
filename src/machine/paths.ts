import { join } from "node:path";
import type { Config } from "../config/config.js";

export type HostFolders = { readonly machines: string; readonly units: string };

/** Where systemd looks for machines and their units, which no configuration changes. */
export const hostFolders: HostFolders = { machines: "/var/lib/machines", units: "/etc/systemd/system" };

/** Where the parts of a machine lie on the host. */
export type MachinePaths = {
  /** The unit file, and the unit's name. */
  readonly unit: string;
  readonly service: string;
  /** Mount point of the machine's root. */
  readonly root: string;
  /** Folder of its generations, see generations.ts. */
  readonly generations: string;
  /** Folder of all its writable layers, one for each generation that has its own, by number. */
  readonly runtimes: string;
  /** Folder of one of them, and what overlayfs needs in it. */
  readonly runtime: string;
  readonly upper: string;
  readonly work: string;
};

/**
 * The paths of a machine, with its first writable layer.
 * @param folders where machines and units are, other than on a host only in tests
 */
export function machinePaths(name: string, { storage }: Pick<Config, "storage">, folders: HostFolders = hostFolders): MachinePaths {
  const service = `${name}.service`;
  const runtimes = join(storage.runtime, name);
  return {
    service,
    unit: join(folders.units, service),
    root: join(folders.machines, name),
    generations: join(generationsFolder(storage), name),
    runtimes,
    ...layerPaths(runtimes, 1),
  };
}

/**
 * The same machine with another writable layer. Each has a folder of its own, which the unit names: so the one rename that puts a unit
 * in its place changes both at once.
 */
export function withLayer(paths: MachinePaths, layer: number): MachinePaths {
  return { ...paths, ...layerPaths(paths.runtimes, layer) };
}

/** Folder of the generations of all machines. */
export function generationsFolder(storage: Pick<Config["storage"], "root">): string {
  return join(storage.root, "generation");
}

function layerPaths(runtimes: string, layer: number): Pick<MachinePaths, "runtime" | "upper" | "work"> {
  const runtime = join(runtimes, String(layer));
  return { runtime, upper: join(runtime, "upper"), work: join(runtime, "work") };
}
