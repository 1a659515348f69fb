import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync } from "node:fs";
import { basename } from "node:path";
import { type ByteName, toBytes } from "../base/byte-path.js";
import { type FileBelow, filesBelow } from "./files-below.js";

/** All that is in a COPY's source. Names: below the source, `.` for itself; that of the source, if that is no folder. */
export function* sourceFiles(source: string): Generator<FileBelow> {
  const stats = lstatSync(source, { bigint: true });
  const isFolder = stats.isDirectory();
  yield { name: isFolder ? "." : toBytes(basename(source)), path: Buffer.from(source), stats };
  if (isFolder) yield* filesBelow(source);
}

/**
 * Whether a source is still what it was when it was read, without another reading: whoever changes a file, its attributes or its links gives it a
 * new ctime, which cannot be set. But for a program that has the file mapped, and writes to a page again before the kernel has sent that to the disk: should
 * it do so just while the source is copied, the copy is kept for what was read before. Nothing but a program that has the source open can do
 * that, and git takes the same on itself.
 */
export class SourceLook {
  readonly #began: number;
  readonly #hash = createHash("sha256");
  #newest = 0n;

  /** @param began milliseconds since 1970 */
  constructor(began = Date.now()) {
    this.#began = began;
  }

  /** To be called for all of its files, in the order of {@link sourceFiles}. */
  see(name: ByteName, { dev, ino, ctimeNs }: Pick<BigIntStats, "dev" | "ino" | "ctimeNs">): void {
    this.#hash.update(`${name}\0${dev} ${ino} ${ctimeNs}\n`, "latin1");
    if (ctimeNs > this.#newest) this.#newest = ctimeNs;
  }

  /**
   * Whether nothing has changed since. Not sure where it was changed shortly before, or while it was read: a second change at once may have the same
   * ctime. Then it says no.
   */
  isSame(source: string): boolean {
    if (Number(this.#newest / 1_000_000n) > this.#began - certainty) return false;
    const now = new SourceLook(this.#began);
    try {
      for (const { name, stats } of sourceFiles(source)) now.see(name, stats);
    } catch {
      return false;
    }
    return now.#hash.copy().digest("hex") === this.#hash.copy().digest("hex");
  }
}

/** Milliseconds: more than file systems and clocks of other hosts, as on NFS, are behind. */
const certainty = 2000;
