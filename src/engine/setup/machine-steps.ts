import { rmdir } from "node:fs/promises";
import { hasCode, NspawnError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { clearFolder } from "../../host/clear-folder.js";
import { removeFile, writeWhole } from "../../host/files.js";
import type { ActionContext } from "./action.js";
import { findInstalled, hasEnded } from "./installed.js";

/**
 * The unit file of a machine as it is now, undefined if there is none.
 * @throws NspawnError if the name belongs to a service, or to a folder of machines, that is not ours
 */
export async function currentUnit({ systemd, paths }: ActionContext): Promise<string | undefined> {
  // Root reads every file: what it cannot read is no unit.
  const found = await findInstalled(paths, (await systemd.state(paths.service)).fragment);
  if (found.kind === "foreign") throw found.error;
  return found.kind === "machine" ? found.unit : undefined;
}

export async function installUnit({ systemd, paths }: Pick<ActionContext, "systemd" | "paths">, text: string): Promise<void> {
  await writeWhole(paths.unit, text);
  await systemd.reload();
}

/** Removes all of a machine, its unit last: while that is there, the rest can be found. */
export async function removeMachine(context: ActionContext): Promise<void> {
  const { host, systemd, paths } = context;
  await stop(context);
  await clearFolder(host, paths.runtime);
  // Not by force: should something be mounted there still, it has to stay.
  await rmdir(paths.root).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return;
    throw new NspawnError(`${paths.root} cannot be removed: something is mounted or lies there that is not the machine's`, {
      cause: error,
    });
  });
  await disable(context);
  await removeFile(paths.unit);
  await systemd.reload();
  await systemd.resetFailed(paths.service);
}

export async function enable({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).enabled === "enabled") return;
  await systemd.enable(paths.service);
  say(context, "starts with the host");
}

export async function disable({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).enabled !== "enabled") return;
  await systemd.disable(paths.service);
  say(context, "does not start with the host");
}

export async function start({ systemd, paths, ...context }: ActionContext): Promise<void> {
  if ((await systemd.state(paths.service)).active === "active") return say(context, "runs already");
  const started = performance.now();
  const runs = await systemd.start(paths.service);
  say(context, runs ? "runs" : "has run, and its command has ended", secondsSince(started));
}

export async function stop({ systemd, paths, ...context }: ActionContext): Promise<void> {
  const { active } = await systemd.state(paths.service);
  if (hasEnded(active)) return;
  const started = performance.now();
  await systemd.stop(paths.service);
  say(context, "has stopped", secondsSince(started));
}

export function say({ report, plan }: Pick<ActionContext, "report" | "plan">, what: string, seconds?: number): void {
  report({ kind: "acted", text: `machine ${plan.machine.name} ${what}`, ...(seconds === undefined ? {} : { seconds }) });
}
