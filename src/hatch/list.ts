import type { EngineContext } from "../engine/context.js";
import { listMachines } from "../engine/machine/list.js";
import { isSystemdHost } from "../host/systemd.js";
import type { MachineState } from "../machine/run-state.js";
import { packagedServices, type Service } from "./services.js";

/** A service of the package at one moment. `absent`: its machine, which has the same name, is not on this host. */
export type ServiceRow = Pick<Service, "name" | "summary" | "folder"> & { readonly state: MachineState | "absent" };

/** The services of the package, in the order of their names. It needs no rights. */
export async function listServices(context: EngineContext): Promise<readonly ServiceRow[]> {
  const machines = isSystemdHost() ? await listMachines(context, {}) : [];
  return packagedServices().map(({ name, summary, folder }) => ({
    name,
    summary,
    folder,
    state: machines.find((machine) => machine.name === name)?.state ?? "absent",
  }));
}
