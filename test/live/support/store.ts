import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { runProgram } from "./build.js";

/** A hash of all that tar(1) sees in a folder: names, content, modes, owners, times of change. */
export async function treeHash(folder: string): Promise<string> {
  const script = 'tar -C "$1" --sort=name --numeric-owner --xattrs --pax-option=delete=atime,delete=ctime -cf - . | sha256sum';
  return (await runProgram(["sh", "-c", script, "sh", folder])).toString().trim();
}

/** The layers of a store that can be found: folder and description. Throws if a description is no whole JSON. */
export function layersOf(store: string): readonly string[] {
  const folder = join(store, "layer");
  if (!existsSync(folder)) return [];
  const ids = readdirSync(folder).map((name) => name.replace(/\.json$/, ""));
  for (const id of ids) JSON.parse(readFileSync(join(folder, `${id}.json`), "utf8"));
  return ids.filter((id) => existsSync(join(store, "extract", id)));
}

/** The records of a store. Throws if one is no whole JSON. */
export function recordsOf(store: string): readonly { readonly url: string; readonly digest: string }[] {
  const folder = join(store, "record");
  if (!existsSync(folder)) return [];
  const paths = readdirSync(folder, { recursive: true }).map(String);
  return paths.filter((path) => path.endsWith("@.json")).map((path) => JSON.parse(readFileSync(join(folder, path), "utf8")));
}

/** Waits until the disk has what was pulled: then no layer is marked any more. */
export async function whenSynced(store: string): Promise<void> {
  const marks = (): readonly string[] => namesIn(join(store, "extract")).filter((name) => /\.(un)?synced$/.test(name));
  await expect.poll(marks, { timeout: 60_000 }).toEqual([]);
}

/** Of a folder's entries; none if it is not there. */
export function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** What commands that were killed have left in a store. */
export function leaksIn(store: string): readonly string[] {
  return ["tempdir", "writing", "use"].flatMap((folder) => namesIn(join(store, folder)).map((name) => `${folder}/${name}`));
}

/** Command lines of running processes that name a path. */
export async function processesWith(path: string): Promise<readonly string[]> {
  const text = (await runProgram(["ps", "-eo", "args="])).toString();
  return text.split("\n").filter((line) => line.includes(path));
}
