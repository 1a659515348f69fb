import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";
import type { Host } from "./host.js";

/**
 * Removes a folder with all that is in it, after an interrupt too; other file systems that are mounted in it stay. Names in a layer may be
 * bytes that are no text, which rm() of node:fs cannot remove.
 */
export async function clearFolder(host: Host, folder: string): Promise<void> {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats || (stats.isDirectory() && isRemoved(folder, stats.dev))) return;
  await host.run({ argv: ["rm", "--recursive", "--force", "--one-file-system", folder], cleansUp: true });
}

type Entry = { readonly path: Buffer; readonly isFolder: boolean };

/** Often there is not much in it, and a program takes longer to start than to remove that. */
function isRemoved(folder: string, device: number): boolean {
  try {
    const entries = [...entriesIn(folder, "", device, { left: few })];
    for (const { path, isFolder } of entries) {
      if (isFolder) rmdirSync(path);
      else unlinkSync(path);
    }
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** What is in a folder, and what is in those in it before them. Throws where it is too much, or on another file system. */
function* entriesIn(root: string, folder: ByteName, device: number, limit: { left: number }): Generator<Entry> {
  for (const entry of readdirSync(bytePath(root, folder), { withFileTypes: true, encoding: "latin1" })) {
    if (limit.left-- === 0) throw new Error("too much for here");
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const path = bytePath(root, name);
    const isFolder = entry.isDirectory();
    if (isFolder) {
      if (lstatSync(path).dev !== device) throw new Error("another file system");
      yield* entriesIn(root, name, device, limit);
    }
    yield { path, isFolder };
  }
}

const few = 250;
