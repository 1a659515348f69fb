import { closeSync, fsync, mkdirSync, openSync, readFileSync, renameSync, type Stats, statSync, unlinkSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { builtin } from "../base/builtin.js";
import { hasCode } from "../base/errors.js";

// Small files are read and written at once: each way through Node's threads takes ten times as long as the kernel does, and only the disk has to be waited for.
// Where a file system hangs, as NFS may, so does the command. What may be large, such as archives, is removed by a thread.

/**
 * Writes a file whole or not at all: to another name, synced, then renamed.
 * @param options.temporary that name, on the same file system; beside the file by default
 */
export async function writeWhole(path: string, content: string, options: { readonly temporary?: string } = {}): Promise<void> {
  const { temporary = `${path}.nspawn-${process.pid}-${builtin("node:crypto").randomUUID()}` } = options;
  for (const name of [path, temporary]) mkdirSync(dirname(name), { recursive: true });
  try {
    const file = openSync(temporary, "w", 0o644);
    try {
      writeFileSync(file, content);
      await synced(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    attempt(() => unlinkSync(temporary));
    throw error;
  }
}

const synced = promisify(fsync);

/** The text of a file, or undefined if it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** What stat(2) says of a file; undefined if it is not there, or not for this user to see. */
export function statIfSeen(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Removes a file, if it is there. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(unlessMissing);
}

/** Renames a file or folder, if it is there. */
export async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    renameSync(from, to);
  } catch (error) {
    unlessMissing(error);
  }
}

/** Does what is as well if it cannot be done. */
export function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // As well.
  }
}

function unlessMissing(error: unknown): void {
  if (!hasCode(error, "ENOENT")) throw error;
}
