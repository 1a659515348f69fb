import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../base/errors.js";
import { settleAll } from "../base/settle.js";
import type { Host } from "./host.js";

/** Milliseconds between two times that what has been written is sent to the disk. */
const pause = 500;

/**
 * Does work that writes much and is synced in the end, and has what it has written so far sent to the disk meanwhile. The kernel would begin with
 * that when a tenth of the memory is full of it: often not before the end, which then waits for all of it.
 * @param folder on the file system that is written to
 * @param onRefused called when the disk does not take something, since the kernel tells that only once
 * @throws the error of the work; else CommandError for what the disk did not take: the kernel tells that once, and whoever syncs in the end would not
 *   be told, see syncfs(2)
 */
export async function whileWritingBack<T>(
  host: Host,
  folder: string,
  work: () => Promise<T>,
  onRefused: () => Promise<void> = async () => undefined,
): Promise<T> {
  const ended = new AbortController();
  const writing = writeBack(host, folder, ended.signal).then(async (refusal) => {
    if (refusal) await onRefused();
    return refusal;
  });
  const [done, failure] = await settleAll([work().finally(() => ended.abort()), writing]);
  if (failure) throw failure;
  return done;
}

/** @returns what the disk did not take */
async function writeBack(host: Host, folder: string, ended: AbortSignal): Promise<CommandError | undefined> {
  await sleep(pause, undefined, { signal: ended }).catch(() => undefined);
  if (ended.aborted) return undefined;
  const endWithWork = (stdin: Writable): void => {
    if (ended.aborted) stdin.end();
    else ended.addEventListener("abort", () => stdin.end());
  };
  try {
    // One program that starts all the others, while this process has better things to do.
    await host.run({ argv: ["bash", "--norc", "-c", syncing, "bash", folder, String(pause / 1000)], input: endWithWork });
  } catch (error) {
    // After an interrupt nothing can be started any more, and a folder that is not there has nothing to be synced.
    return error instanceof CommandError && error.output.includes("error syncing") ? error : undefined;
  }
  return undefined;
}

/** Syncs again and again, until the end of its input, which `read` gives 1 for. It is not killed when the work ends: what the disk did not take would be lost with it. */
const syncing = 'while sync --file-system "$1"; do read -r -t "$2"; (($? > 128)) || exit 0; done; exit 1';
