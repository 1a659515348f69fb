import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { hasCode, NspawnError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { clearFolder } from "../../host/clear-folder.js";
import { readIfThere, removeFile, writeWhole } from "../../host/files.js";
import type { UnitState } from "../../host/systemd.js";
import { canEnable, installOf } from "../../machine/unit-install.js";
import type { ProbeSpec } from "../../plan/probe.js";
import type { ActionContext } from "./action.js";
import { findInstalled, hasEnded } from "./installed.js";
import { watch } from "./watch.js";

/** A machine as it is now. `unit`: the text of its unit file, undefined if there is none. */
export type Now = UnitState & { readonly unit: string | undefined };

/**
 * Looks at the machine as it is now.
 * @throws NspawnError if the name belongs to a service, or to a folder of machines, that is not ours
 */
export async function lookAt({ systemd, paths }: ActionContext): Promise<Now> {
  const state = await systemd.state(paths.service, existsSync(paths.unit));
  // Root reads every file: what it cannot read is no unit.
  const found = await findInstalled(paths, state.fragment);
  if (found.kind === "foreign") throw found.error;
  return { ...state, unit: found.kind === "machine" ? found.unit : undefined };
}

/** Puts a unit in its place. One that starts with the host does so by the new one's `[Install]` then. */
export async function installUnit({ systemd, paths }: Pick<ActionContext, "systemd" | "paths">, text: string): Promise<void> {
  const old = await readIfThere(paths.unit);
  const isLinked = old !== undefined && installOf(old) !== installOf(text) && (await systemd.state(paths.service)).enabled === "enabled";
  await writeWhole(paths.unit, text);
  if (isLinked) await systemd.enable(paths.service, "reenable");
  await (old === undefined ? systemd.readNew(paths.service) : systemd.reload());
}

/**
 * Puts the unit of a new machine in its place, and starts it; and has it started with the host, if it says how. systemd looks for the links when it
 * is asked first whether the unit has any, and never again: by then they are there, since otherwise it would have to read all units of the host anew.
 * From version 255 on it wants to do that all the same; who watches the machine sees that.
 * @param isKnown whether systemd has one of that name, which was removed by other hands
 */
export async function startNew({ systemd, paths, ...context }: ActionContext, text: string, isKnown: boolean): Promise<void> {
  await writeWhole(paths.unit, text);
  if (isKnown) await systemd.reload();
  await systemd.start(paths.service, { verb: "restart", isNew: true });
  if (!canEnable(text)) return;
  // Not beside the start: systemd does one thing after the other. In the settling time it has nothing to do.
  await systemd.enable(paths.service);
  say(context, "starts with the host");
}

/** Removes all of a machine, its unit last: while that is there, the rest can be found. */
export async function removeMachine(context: ActionContext): Promise<void> {
  const { host, systemd, paths } = context;
  await stop(context);
  await clearFolder(host, paths.runtimes);
  // Not by force: should something be mounted there still, it has to stay.
  await rmdir(paths.root).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return;
    throw new NspawnError(`${paths.root} cannot be removed: something is mounted or lies there that is not the machine's`, {
      cause: error,
    });
  });
  await removeLinks(context);
  await removeFile(paths.unit);
  await systemd.reload();
  await systemd.resetFailed(paths.service);
  await rm(paths.generations, { recursive: true, force: true });
}

/** Has a machine started with the host, if its unit says how: one from a template of the script's own need not. */
export async function enable({ systemd, paths, ...context }: ActionContext): Promise<void> {
  const state = await systemd.state(paths.service);
  if (startsWithHost(state) || state.enabled === "static" || state.enabled === "indirect") return;
  if (state.enabled !== "enabled") await systemd.enable(paths.service);
  await systemd.reload();
  if (state.enabled !== "enabled") say(context, "starts with the host");
}

/** Whether a machine starts with the host, and systemd knows of that. */
export function startsWithHost({ enabled, known }: UnitState): boolean {
  return enabled === "enabled" && known === "enabled";
}

export async function disable(context: ActionContext): Promise<void> {
  if (await removeLinks(context)) await context.systemd.reload();
}

/** Has a machine not started with the host, without telling systemd yet. Returns whether that is news for it. */
async function removeLinks({ systemd, paths, ...context }: ActionContext): Promise<boolean> {
  const { enabled, known } = await systemd.state(paths.service);
  if (enabled !== "enabled") return known === "enabled";
  await systemd.disable(paths.service);
  say(context, "does not start with the host");
  return true;
}

/** @param probe what it has to pass besides */
export async function start(context: ActionContext, probe?: ProbeSpec): Promise<void> {
  const { systemd, paths, host } = context;
  if ((await systemd.state(paths.service)).active === "active") return say(context, "runs already");
  const started = performance.now();
  await systemd.start(paths.service);
  const { runs } = await watch(context, probe, host.interrupted);
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
