import { type BigIntStats, lstatSync } from "node:fs";
import { builtin } from "../base/builtin.js";
import { filesBelow } from "./files-below.js";

/** What a layer was found to be. `bytes`: on disk, in blocks of its file system, hard links once. */
export type Inspected = { readonly fingerprint: string; readonly bytes: number };

/**
 * Tells whether a folder is what it was: a SHA-256 of what lstat(2) says of all that is in it. Nothing of a file is read: nobody can change
 * one, its attributes or its links without a new ctime, which cannot be set. The folder's own times are left out: a rename changes them.
 */
export function inspectLayer(folder: string): Inspected {
  const hash = builtin("node:crypto").createHash("sha256");
  const stats = lstatSync(folder, { bigint: true });
  hash.update(`${stats.mode} ${stats.uid} ${stats.gid}\n`);
  const size = new DiskSize();
  size.add(stats);
  for (const file of filesBelow(folder)) {
    const { mode, uid, gid, rdev, mtimeNs, ctimeNs } = file.stats;
    // A folder's size says nothing, and is not the same on every file system.
    const length = file.stats.isDirectory() ? 0n : file.stats.size;
    // All whiteouts are links to one in the overlay's work folder (ovl_whiteout in fs/overlayfs/dir.c), which is removed after the build.
    const changed = file.stats.isCharacterDevice() && rdev === 0n ? "" : ctimeNs;
    hash.update(`${file.name}\0${mode} ${uid} ${gid} ${rdev} ${length} ${mtimeNs} ${changed}\n`, "latin1");
    size.add(file.stats);
  }
  return { fingerprint: hash.digest("hex"), bytes: size.bytes };
}

class DiskSize {
  #blocks = 0n;
  readonly #links = new Set<bigint>();

  add(stats: BigIntStats): void {
    if (stats.nlink > 1n && !stats.isDirectory()) {
      if (this.#links.has(stats.ino)) return;
      this.#links.add(stats.ino);
    }
    this.#blocks += stats.blocks;
  }

  get bytes(): number {
    return Number(this.#blocks) * 512;
  }
}
