import { createHash, type Hash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";

/** What a layer was found to be. `bytes`: on disk, in blocks of its file system, hard links once. */
export type Inspected = { readonly fingerprint: string; readonly bytes: number };

/**
 * Tells whether a folder is what it was: a SHA-256 of what lstat(2) says of all that is in it. Nothing of a file is read: nobody can change
 * one, its attributes or its links without a new ctime, which cannot be set. The folder's own times are left out: a rename changes them.
 */
export function inspectLayer(folder: string): Inspected {
  const hash = createHash("sha256");
  const stats = lstatSync(folder, { bigint: true });
  hash.update(`${stats.mode} ${stats.uid} ${stats.gid}\n`);
  const size = new DiskSize();
  size.add(stats);
  addContent(hash, size, folder, "");
  return { fingerprint: hash.digest("hex"), bytes: size.bytes };
}

function addContent(hash: Hash, disk: DiskSize, root: string, folder: ByteName): void {
  for (const name of readdirSync(bytePath(root, folder), { encoding: "latin1" }).sort()) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const stats = lstatSync(bytePath(root, path), { bigint: true });
    const { mode, uid, gid, rdev, mtimeNs, ctimeNs } = stats;
    // A folder's size says nothing, and is not the same on every file system.
    const size = stats.isDirectory() ? 0n : stats.size;
    // All whiteouts are links to one in the overlay's work folder (ovl_whiteout in fs/overlayfs/dir.c), which is removed after the build.
    const changed = stats.isCharacterDevice() && rdev === 0n ? "" : ctimeNs;
    hash.update(`${path}\0${mode} ${uid} ${gid} ${rdev} ${size} ${mtimeNs} ${changed}\n`, "latin1");
    disk.add(stats);
    if (stats.isDirectory()) addContent(hash, disk, root, path);
  }
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
