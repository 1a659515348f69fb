import { readdir } from "node:fs/promises";
import { hasCode, NspawnError } from "../../base/errors.js";
import { readIfThere } from "../../host/files.js";
import type { MachinePaths } from "../../machine/paths.js";
import { canEnable } from "../../machine/unit-install.js";
import { unitMark } from "../../machine/unit-mark.js";
import type { Action } from "./action.js";

/** What there is on this host under a machine's name: nothing, the machine, or something that is not ours. */
export type Installed =
  | { readonly kind: "nothing" }
  | { readonly kind: "machine"; readonly unit: string }
  /** A unit that this user may not read. */
  | { readonly kind: "unreadable" }
  | { readonly kind: "foreign"; readonly error: NspawnError };

/** @param fragment path of the file that systemd has for the unit, empty if there is none */
export async function findInstalled({ service, unit, root }: MachinePaths, fragment: string): Promise<Installed> {
  const text = await readIfThere(unit).catch(unlessClosed);
  if (text === null) return { kind: "unreadable" };
  if (text?.startsWith(unitMark)) return { kind: "machine", unit: text };
  if (text !== undefined) return foreign(service, unit);
  if (fragment !== "" && fragment !== unit) return foreign(service, fragment);
  const content = await readdir(root).catch(() => []);
  return content.length > 0 ? foreign(service, `${root}, which is not empty,`) : { kind: "nothing" };
}

/**
 * Why an action cannot be done with a machine as it is now.
 * @param now.active its state as systemctl(1) shows it, undefined if it is not known
 * @param now.unit the text of its unit, undefined if there is none or it is not known
 */
export function objectionTo(
  action: Action,
  name: string,
  { exists, active, unit }: { readonly exists: boolean; readonly active: string | undefined; readonly unit?: string | undefined },
): NspawnError | undefined {
  if (action === "create" && exists) {
    return new NspawnError(`the machine ${name} is there already`, { hint: "--action=update brings it to what the script says now" });
  }
  if (needsMachine.has(action) && !exists) {
    return new NspawnError(`there is no machine ${name} on this host`, { hint: "--action=ensure creates and starts it" });
  }
  if (action === "delete" && active !== undefined && !hasEnded(active)) {
    return new NspawnError(`the machine ${name} runs (${active})`, { hint: "--action=stop before, or --action=desure does all at once" });
  }
  if (action === "enable" && unit !== undefined && !canEnable(unit)) {
    return new NspawnError(`the machine ${name} cannot start with the host: its unit has no [Install] that says when`, {
      hint: "installConf of MACHINE, or the template, can have one, such as WantedBy=machines.target",
    });
  }
  return undefined;
}

/** Whether a unit in this state runs nothing. */
export function hasEnded(active: string): boolean {
  return active === "inactive" || active === "failed" || active === "";
}

const needsMachine: ReadonlySet<Action> = new Set<Action>(["delete", "enable", "disable", "start", "stop", "rollback"]);

function unlessClosed(error: unknown): null {
  if (hasCode(error, "EACCES")) return null;
  throw error;
}

function foreign(service: string, what: string): Installed {
  const message = `${service} is no machine of nspawn: ${what} was not made by it`;
  return { kind: "foreign", error: new NspawnError(message, { hint: "give the machine another name in MACHINE" }) };
}
