import { createHash, type Hash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";

/**
 * Tells whether a folder is what it was: a SHA-256 of what lstat(2) says of all that is in it. Nothing of a file is read: nobody can change
 * one, its attributes or its links without a new ctime, which cannot be set. The folder's own times are left out: a rename changes them.
 */
export function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  const { mode, uid, gid } = lstatSync(folder);
  hash.update(`${mode} ${uid} ${gid}\n`);
  addContent(hash, folder, "");
  return hash.digest("hex");
}

function addContent(hash: Hash, root: string, folder: ByteName): void {
  for (const name of readdirSync(bytePath(root, folder), { encoding: "latin1" }).sort()) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const stats = lstatSync(bytePath(root, path), { bigint: true });
    const { mode, uid, gid, rdev, mtimeNs, ctimeNs } = stats;
    // A folder's size says nothing, and is not the same on every file system.
    const size = stats.isDirectory() ? 0n : stats.size;
    hash.update(`${path}\0${mode} ${uid} ${gid} ${rdev} ${size} ${mtimeNs} ${ctimeNs}\n`, "latin1");
    if (stats.isDirectory()) addContent(hash, root, path);
  }
}
