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
  /** The unit and the layer of the version before, while an update replaces it. No machine's name starts with a dot. */
  readonly previousUnit: string;
  readonly previousRuntime: string;
  readonly upper: string;
  readonly work: string;
};

export function machinePaths(name: string, config: Config): MachinePaths {
  const service = `${name}.service`;
  const runtimes = join(config.storageRoot, "runtime");
  const runtime = join(runtimes, name);
  return {
    service,
    unit: join(config.unitFolder, service),
    root: join(config.machinesFolder, name),
    runtime,
    previousUnit: join(runtimes, `.${name}.previous.service`),
    previousRuntime: join(runtimes, `.${name}.previous`),
    upper: join(runtime, "upper"),
    work: join(runtime, "work"),
  };
}
