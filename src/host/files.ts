import { mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { builtin } from "../base/builtin.js";
import { hasCode } from "../base/errors.js";

/**
 * Writes a file whole or not at all: to another name, synced, then renamed.
 * @param options.temporary that name, on the same file system; beside the file by default
 */
export async function writeWhole(path: string, content: string, options: { readonly temporary?: string } = {}): Promise<void> {
  const { temporary = `${path}.nspawn-${process.pid}-${builtin("node:crypto").randomUUID()}` } = options;
  for (const name of [path, temporary]) await mkdir(dirname(name), { recursive: true });
  try {
    const file = await open(temporary, "w", 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** The text of a file, or undefined if it is not there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Removes a file, if it is there. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(unlessMissing);
}

/** Renames a file or folder, if it is there. */
export async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(unlessMissing);
}

function unlessMissing(error: unknown): void {
  if (!hasCode(error, "ENOENT")) throw error;
}
