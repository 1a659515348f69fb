import { Flaw } from "./archive-error.js";
import { blockSize, readNumber } from "./tar-header.js";

/**
 * Adds up the parts of a sparse file that are data, and checks that they are what the member holds: tar reads as many blocks as they
 * take, and takes what follows for the next header.
 */
export class SparseParts {
  #bytes = 0;
  #last = false;

  /** The same for a map that is there as a whole. */
  static check(map: readonly number[], bytes: number): void {
    const parts = new SparseParts();
    for (const part of map) parts.add(part);
    parts.check(bytes);
  }

  add(bytes: number): void {
    if (this.#last && bytes > 0) throw wrongMap();
    this.#bytes += bytes;
    // Each part fills its last block; only that of the last one may be in part.
    this.#last ||= bytes % blockSize !== 0;
  }

  /** @param bytes what the member holds of them */
  check(bytes: number): void {
    if (this.#bytes !== bytes) throw wrongMap();
  }
}

/**
 * Reads the parts that are in a header of GNU tar's old format, or in one of the blocks that go on with them (tar(5)): pairs of offset
 * and size. Returns whether another block follows.
 */
export function readOldSparse(block: Buffer, kind: "header" | "more", parts: SparseParts): boolean {
  const { start, count, extended } = kind === "header" ? { start: 386, count: 4, extended: 482 } : { start: 0, count: 21, extended: 504 };
  const more = block[extended] !== 0;
  for (let index = 0; index < count; index++) {
    const at = start + index * 24;
    if (block[at + 12] === 0) {
      if (more) throw wrongMap();
      return false;
    }
    readNumber(block, at, 12, "map of a sparse file");
    parts.add(readNumber(block, at + 12, 12, "map of a sparse file"));
  }
  return more;
}

/**
 * The map of version 1.0, which is text before the data: how many parts there are, then offset and size of each, a line each, in as
 * many blocks as that takes (GNU tar manual, "PAX Format, Version 1.0").
 */
export class SparseText {
  readonly parts = new SparseParts();
  bytes = 0;
  #number = 0;
  #digits = 0;
  /** Numbers that are still to come; unknown before the first one. */
  #left: number | undefined;

  /** Returns whether another block belongs to it. */
  read(block: Buffer): boolean {
    this.bytes += block.length;
    for (const byte of block) {
      if (byte === 0x0a) {
        this.#line();
        if (this.#left === 0) return false;
      } else {
        const digit = byte - 0x30;
        if (digit < 0 || digit > 9 || ++this.#digits > 15) throw wrongMap();
        this.#number = this.#number * 10 + digit;
      }
    }
    return true;
  }

  #line(): void {
    if (this.#digits === 0) throw wrongMap();
    if (this.#left === undefined) this.#left = this.#number * 2;
    else {
      if (this.#left % 2 === 1) this.parts.add(this.#number);
      this.#left--;
    }
    this.#number = 0;
    this.#digits = 0;
  }
}

function wrongMap(): Flaw {
  return new Flaw("has a wrong map of a sparse file");
}
