import { join } from "node:path";
import type { Config } from "../config/config.js";

/** Where the parts of a machine lie on the host. */
export type MachinePaths = {
  /** The unit file, and the unit's name. */
  readonly unit: string;
  readonly service: string;
  /** Mount point of the machine's root. */
  readonly root: string;
  /** Folder of its writable layer. */
  readonly runtime: string;
  readonly upper: string;
  readonly work: string;
};

export function machinePaths(name: string, config: Config): MachinePaths {
  const service = `${name}.service`;
  const runtime = join(config.storageRoot, "runtime", name);
  return {
    service,
    unit: join(config.unitFolder, service),
    root: join(config.machinesFolder, name),
    runtime,
    upper: join(runtime, "upper"),
    work: join(runtime, "work"),
  };
}
