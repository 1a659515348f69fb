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
  /** Folder of its writable layer. */
  readonly runtime: string;
  /** The unit and the layer of the version before, while an update replaces it. No machine's name starts with a dot. */
  readonly previousUnit: string;
  readonly previousRuntime: string;
  readonly upper: string;
  readonly work: string;
};

/** @param folders where machines and units are, other than on a host only in tests */
export function machinePaths(name: string, { storage }: Pick<Config, "storage">, folders: HostFolders = hostFolders): MachinePaths {
  const service = `${name}.service`;
  const runtime = join(storage.runtime, name);
  return {
    service,
    unit: join(folders.units, service),
    root: join(folders.machines, name),
    runtime,
    previousUnit: join(storage.runtime, `.${name}.previous.service`),
    previousRuntime: join(storage.runtime, `.${name}.previous`),
    upper: join(runtime, "upper"),
    work: join(runtime, "work"),
  };
}
