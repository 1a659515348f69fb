import { existsSync } from "node:fs";
import { messageOf, NspawnError } from "../../base/errors.js";
import { clearFolder } from "../../host/clear-folder.js";
import { readIfThere, removeFile, renameIfThere, writeWhole } from "../../host/files.js";
import type { ActionContext } from "./action.js";
import { enable, installUnit, removeMachine, say, start, stop } from "./machine-steps.js";

/**
 * Puts a new version of a machine in the place of the old one: stop, swap the units, start. If the new one does not start, the old
 * one is put back, with what it had written; if there was none, nothing stays. An interrupt waits until it is done, and after a
 * kill the next command puts the old version back, see {@link recover}.
 * @param old text of the unit that is installed, undefined if there is none
 */
export async function swap(context: ActionContext, text: string, old: string | undefined): Promise<void> {
  await context.host.shielded(async () => {
    if (old !== undefined) await writeWhole(context.paths.previousUnit, old);
    try {
      await stop(context);
      await setAside(context);
      await installUnit(context, text);
      await start(context);
    } catch (error) {
      throw await takeBack(context, old, error);
    }
    await forget(context);
    await enable(context);
    say(context, old === undefined ? "is new" : "is updated");
  });
}

/** Puts the old version back where an update was killed in the middle of a swap. */
export async function recover(context: ActionContext): Promise<void> {
  const old = await readIfThere(context.paths.previousUnit);
  if (old === undefined) return;
  await context.host.shielded(() => putBack(context, old));
  say(context, "is as it was before an update that was cut short");
}

/** Every version begins with a clean layer; that of the old one stays until the new one has started. */
async function setAside({ host, paths }: ActionContext): Promise<void> {
  await clearFolder(host, paths.previousRuntime);
  await renameIfThere(paths.runtime, paths.previousRuntime);
}

async function forget({ host, paths }: ActionContext): Promise<void> {
  // First the mark of an unfinished swap: from now on the new version is the one.
  await removeFile(paths.previousUnit);
  await clearFolder(host, paths.previousRuntime);
}

/** Undoes a swap that failed. Returns the error that says what the machine is now. */
async function takeBack(context: ActionContext, old: string | undefined, error: unknown): Promise<NspawnError> {
  const { name } = context.plan.machine;
  const about = { cause: error instanceof NspawnError ? error.cause : error, hint: error instanceof NspawnError ? error.hint : undefined };
  try {
    if (old === undefined) await removeMachine(context);
    else await putBack(context, old);
  } catch (second) {
    const both = `${messageOf(error)}; and the machine ${name} could not be brought back as it was: ${messageOf(second)}`;
    return new NspawnError(both, about);
  }
  return new NspawnError(
    `${messageOf(error)}; ${old === undefined ? "nothing of it stays" : `the machine ${name} runs as it was before`}`,
    about,
  );
}

async function putBack(context: ActionContext, old: string): Promise<void> {
  const { host, paths } = context;
  await stop(context);
  if ((await readIfThere(paths.unit)) !== old) await installUnit(context, old);
  // Where the swap had not come so far, the old layer is still in its place.
  if (existsSync(paths.previousRuntime)) {
    await clearFolder(host, paths.runtime);
    await renameIfThere(paths.previousRuntime, paths.runtime);
  }
  // Before the start: should the old version not start any more, that is told once, and blocks no later action.
  await removeFile(paths.previousUnit);
  await start(context);
}
