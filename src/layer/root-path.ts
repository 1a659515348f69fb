import { lstatSync, type Stats } from "node:fs";
import { readlink } from "node:fs/promises";
import { type ByteName, bytePath, showName } from "../base/byte-path.js";
import { hasCode, NspawnError } from "../base/errors.js";

/** Linux gives up after 40 symlinks (path_resolution(7)). */
const maxLinks = 40;

/**
 * Follows a path inside a root folder as a process that lives there would: absolute symlinks start at the root, `..` stops at
 * it. What is not there is taken as written.
 * @param root folder that is the root
 * @param path path in it, in bytes, with or without a slash at its start
 * @returns the path without symlinks, relative to the root, in bytes
 * @throws NspawnError for a loop of symlinks
 */
export async function resolveInRoot(root: string, path: ByteName): Promise<ByteName> {
  const todo = path.split("/").filter(isName);
  const done: ByteName[] = [];
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      done.pop();
      continue;
    }
    const here = [...done, name].join("/");
    if (!statInRoot(root, here)?.isSymbolicLink()) {
      done.push(name);
      continue;
    }
    if (++links > maxLinks) throw new NspawnError(`/${showName(path)}: too many symlinks`);
    const target = await readlink(bytePath(root, here), { encoding: "latin1" });
    if (target.startsWith("/")) done.length = 0;
    todo.unshift(...target.split("/").filter(isName));
  }
  return done.join("/");
}

/** What is at a path in a root, symlinks not followed; undefined if nothing is, or can be, since a file is above it. */
export function statInRoot(root: string, path: ByteName): Stats | undefined {
  try {
    return lstatSync(bytePath(root, path), { throwIfNoEntry: false });
  } catch (error) {
    if (hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

function isName(part: string): boolean {
  return part !== "" && part !== ".";
}
