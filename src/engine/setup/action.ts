import type { Systemd } from "../../host/systemd.js";
import type { MachinePaths } from "../../machine/paths.js";
import type { SetupPlan } from "../../plan/setup-plan.js";
import type { SetupContext } from "../context.js";
import type { MadeUnits } from "./made-units.js";

/** What can be done with a machine; the help of nspawn-setup says what each means. */
export type Action =
  | "update"
  | "ensure"
  | "desure"
  | "create"
  | "delete"
  | "enable"
  | "disable"
  | "start"
  | "stop"
  | "command"
  | "rollback";

/** Whether an action does the script's steps on the host. `exists`: whether the machine is there already. */
export function actsOnHost(action: Action, exists: boolean): boolean {
  return action === "update" || action === "create" || action === "command" || (action === "ensure" && !exists);
}

/** Whether an action makes the machine anew, from the script and its images. `exists`: whether the machine is there already. */
export function makesMachine(action: Action, exists: boolean): boolean {
  return action === "update" || ((action === "create" || action === "ensure") && !exists);
}

/** What every action needs around it. */
export type ActionContext = SetupContext & {
  readonly plan: SetupPlan;
  readonly systemd: Systemd;
  readonly paths: MachinePaths;
  /** The number of the generation that `rollback` goes to; undefined: the one before. */
  readonly generation: number | undefined;
  /** Resolves when a unit can be rendered without delay, if that is likely to be needed. */
  readonly ready: () => Promise<void>;
  readonly made: MadeUnits;
};
