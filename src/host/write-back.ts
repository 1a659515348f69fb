import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "./host.js";

/** Milliseconds between two times that what has been written is sent to the disk. */
const pause = 500;

/**
 * Does work that writes much and is synced in the end, and has what it has written so far sent to the disk meanwhile. The kernel would begin with
 * that when a tenth of the memory is full of it: often not before the end, which then waits for all of it.
 * @param folder on the file system that is written to
 */
export async function whileWritingBack<T>(host: Host, folder: string, work: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const writing = writeBack(host, folder, ended.signal);
  try {
    return await work();
  } finally {
    ended.abort();
    await writing;
  }
}

async function writeBack(host: Host, folder: string, ended: AbortSignal): Promise<void> {
  while (await isStill(ended)) {
    // What is wrong with the disk, whoever syncs in the end is told; after an interrupt nothing can be started any more.
    const isDone = await host.run({ argv: ["sync", "--file-system", folder] }).then(
      () => true,
      () => false,
    );
    if (!isDone) return;
  }
}

/** Whether it has not ended, after a pause. */
function isStill(ended: AbortSignal): Promise<boolean> {
  return sleep(pause, true, { signal: ended }).catch(() => false);
}
