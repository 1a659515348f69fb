import { readdir, rmdir } from "node:fs/promises";
import { hasCode, NspawnError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { clearFolder } from "../../host/clear-folder.js";
import { readIfThere, removeFile, writeWhole } from "../../host/files.js";
import { unitMark } from "../../machine/unit.js";
import type { ActionContext } from "./action.js";

/**
 * The unit file of a machine as it is now, undefined if there is none.
 * @throws NspawnError if the name belongs to a service, or to a folder of machines, that is not ours
 */
export async function currentUnit({ systemd, paths }: ActionContext): Promise<string | undefined> {
  const text = await readIfThere(paths.unit);
  if (text !== undefined && !text.startsWith(unitMark)) throw foreign(paths.service, paths.unit);
  if (text !== undefined) return text;
  const { fragment } = await systemd.state(paths.service);
  if (fragment !== "" && fragment !== paths.unit) throw foreign(paths.service, fragment);
  const content = await readdir(paths.root).catch(() => []);
  if (content.length > 0) throw foreign(paths.service, `${paths.root}, which is not empty,`);
  return undefined;
}

function foreign(service: string, what: string): NspawnError {
  return new NspawnError(`${service} is no machine of nspawn: ${what} was not made by it`, {
    hint: "give the machine another name in MACHINE",
  });
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
  if (active === "inactive" || active === "failed" || active === "") return;
  const started = performance.now();
  await systemd.stop(paths.service);
  say(context, "has stopped", secondsSince(started));
}

export function say({ report, plan }: Pick<ActionContext, "report" | "plan">, what: string, seconds?: number): void {
  report({ kind: "acted", text: `machine ${plan.machine.name} ${what}`, ...(seconds === undefined ? {} : { seconds }) });
}
