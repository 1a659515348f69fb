import { InterruptedError, messageOf, NspawnError } from "../../base/errors.js";
import { clearFolder } from "../../host/clear-folder.js";
import { readIfThere } from "../../host/files.js";
import { addGeneration, currentOf, endTrial, type Generation, listGenerations, removeGeneration } from "../../machine/generations.js";
import { withLayer } from "../../machine/paths.js";
import type { ActionContext } from "./action.js";
import { dropGenerations } from "./drop-generations.js";
import { hasEnded } from "./installed.js";
import { enable, installUnit, removeMachine, say, startNew, stop } from "./machine-steps.js";
import { type Outcome, runOf, watch } from "./watch.js";

/**
 * Puts a new generation of a machine in the place of the one that is installed, starts it, and watches whether it works. If it does not,
 * or on an interrupt, the old one is put back, with what it had written; if there was none, nothing stays.
 *
 * The swap itself is one rename, that of the unit, since each generation names a writable layer of its own. It is done while the old one
 * runs, and then one job of systemd ends that and starts the new one. So there is no moment at which a kill of ours, or the end of
 * the host, leaves neither of them to run, or a mix; what then is not known, whether the new one works, the next command finds out,
 * see {@link recover}.
 * @param old the generation that is installed, undefined if there is no machine
 * @param isKnown whether systemd has a unit of its name
 */
export async function swap(context: ActionContext, next: Generation, old: Generation | undefined, isKnown = true): Promise<void> {
  const { host, systemd, paths } = context;
  await host.shielded(async (asked) => {
    const before = old === undefined ? { active: "inactive", invocation: "" } : await runOf(context);
    const trial = { from: old?.number, ran: before.active === "active", invocation: before.invocation };
    // What a try that was cut short may have left.
    if (next.restored === undefined) await clearFolder(host, withLayer(paths, next.layer).runtime);
    await addGeneration(paths, { ...next, trial });
    let outcome: Outcome;
    try {
      if (old === undefined) await startNew(context, next.unit, isKnown);
      else {
        await installUnit(context, next.unit);
        if (trial.ran) await systemd.whenQuiet();
        asked.throwIfAborted();
        await systemd.start(paths.service, { verb: "restart" });
      }
      outcome = await watch(context, next.probe, asked);
    } catch (error) {
      throw await takeBack(context, { ...next, trial }, error);
    }
    if (old === undefined && outcome.isOutdated) await systemd.reload();
    await keep(context, next, old === undefined);
    say(context, `${wordsOf(next, old)}${outcome.runs ? "" : ", and its command has ended"}`);
  });
}

/**
 * Ends a swap that was cut short. The new generation stays if it was started and works, as the swap would have found; else what was there
 * before is put back.
 */
export async function recover(context: ActionContext): Promise<void> {
  const next = (await listGenerations(context.paths)).findLast(({ trial }) => trial);
  if (!next) return;
  await context.host.shielded(async (asked) => {
    if (await hasBegun(context, next)) {
      try {
        // Waits for the job of systemd, should that not have ended.
        await context.systemd.start(context.paths.service);
        await watch(context, next.probe, asked);
        await keep(context, next, false);
        return say(context, "works: an update of it that was cut short is done");
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        context.report({ kind: "warning", text: `an update was cut short, and failed: ${messageOf(error)}` });
      }
    }
    await undo(context, next);
    say(context, "is as it was before an update that was cut short");
  });
}

/** Whether the new generation has taken the old one's place, or systemd is about to start it. */
async function hasBegun(context: ActionContext, { unit, trial }: Generation): Promise<boolean> {
  if ((await readIfThere(context.paths.unit)) !== unit) return false;
  const { active, invocation } = await runOf(context);
  return invocation === trial?.invocation ? active === "deactivating" : !hasEnded(active);
}

function wordsOf({ number, restored }: Generation, old: Generation | undefined): string {
  if (restored !== undefined) return `is as it was in generation ${restored}, which is generation ${number} now`;
  return old === undefined ? "is new" : "is updated";
}

/** From now on the new generation is the machine's. `isEnabled`: whether what has it start with the host is done. */
async function keep(context: ActionContext, next: Generation, isEnabled: boolean): Promise<void> {
  await endTrial(context.paths, next);
  if (!isEnabled) await enable(context);
  await dropGenerations(context);
}

/** Undoes a swap that failed. Returns the error that says what the machine is now. */
async function takeBack(context: ActionContext, next: Generation, error: unknown): Promise<unknown> {
  const { name } = context.plan.machine;
  const about = error instanceof NspawnError ? { cause: error.cause, hint: error.hint } : { cause: error };
  let now: string;
  try {
    now = await undo(context, next);
  } catch (second) {
    const both = `${messageOf(error)}; and the machine ${name} could not be brought back as it was: ${messageOf(second)}`;
    return new NspawnError(both, about);
  }
  if (error instanceof InterruptedError) {
    say(context, now);
    return error;
  }
  return new NspawnError(
    `${messageOf(error)}; ${next.trial?.from === undefined ? "nothing of it stays" : `the machine ${name} ${now}`}`,
    about,
  );
}

/** Puts back what was there before a generation that is on trial. Returns what the machine is then. */
async function undo(context: ActionContext, next: Generation): Promise<string> {
  const { host, systemd, paths } = context;
  const { from, ran, invocation } = next.trial ?? { from: undefined, ran: false, invocation: "" };
  const generations = await listGenerations(paths);
  if (from === undefined) {
    await removeMachine(context);
    return "is not there, as before";
  }
  const old = generations.find(({ number }) => number === from) ?? currentOf(generations);
  if (!old) throw new NspawnError(`generation ${from} is not there any more`, { hint: `it was in ${paths.generations}` });
  if ((await readIfThere(paths.unit)) !== old.unit) await installUnit(context, old.unit);
  const now = await runOf(context);
  try {
    if (!ran) await stop(context);
    else if (now.active !== "active" || now.invocation !== invocation) await systemd.start(paths.service, { verb: "restart" });
  } finally {
    // In any case: should the old one not start any more, that is told once, and blocks no later action.
    await removeGeneration(paths, next);
    if (next.layer !== old.layer && next.restored === undefined) await clearFolder(host, withLayer(paths, next.layer).runtime);
  }
  return ran ? `runs as it was before` : "is as it was before, and does not run";
}
