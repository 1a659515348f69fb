import type { ByteName } from "../base/byte-path.js";
import { Flaw } from "./archive-error.js";

/** Everything in a tar archive comes in blocks of this many bytes. */
export const blockSize = 512;

/** One header block. `type`: the type flag; `format`: by its magic, which decides what GNU tar reads in the rest of it. */
export type TarHeader = {
  readonly type: string;
  readonly name: ByteName;
  readonly link: ByteName;
  readonly size: number;
  readonly format: "v7" | "ustar" | "star" | "gnu";
};

/**
 * Reads a header block as GNU tar does (POSIX.1-2017 pax, "ustar Interchange Format"; tar(5)).
 * @returns undefined for a block of zeros
 * @throws Flaw where GNU tar would guess
 */
export function readHeader(block: Buffer): TarHeader | undefined {
  const sums = checksums(block);
  if (sums.unsigned === blanks && isZero(block)) return undefined;
  const written = readNumber(block, 148, 8, "checksum");
  if (written !== sums.unsigned && written !== sums.signed) throw new Flaw("has a header with a wrong checksum");
  const type = String.fromCharCode(block[156] ?? 0);
  const format = formatOf(block);
  const prefix = format === "ustar" || format === "star" ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  return {
    type,
    name: prefix === "" ? name : `${prefix}/${name}`,
    link: textAt(block, 157, 100),
    size: readNumber(block, 124, 12, "size"),
    format,
  };
}

/** Major and minor number of a device node. */
export function readDevice(block: Buffer): readonly [number, number] {
  return [readNumber(block, 329, 8, "device number"), readNumber(block, 337, 8, "device number")];
}

/**
 * Reads a number: octal digits between blanks, or binary (base 256) behind the byte 0x80. No negative one has a meaning here.
 * @throws Flaw
 */
export function readNumber(block: Buffer, at: number, length: number, what: string): number {
  if (block[at] === 0x80) return safe(binary(block.subarray(at + 1, at + length)), what);
  const end = at + length;
  let value = 0;
  let index = at + (block[at] === 0 ? 1 : 0);
  while (index < end && block[index] === 0x20) index++;
  const start = index;
  for (; index < end; index++) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  const next = index < end ? block[index] : 0;
  if (index === start || (next !== 0 && next !== 0x20)) throw new Flaw(`has a header with a wrong ${what}`);
  return safe(value, what);
}

function binary(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function safe(value: number, what: string): number {
  if (Number.isSafeInteger(value)) return value;
  throw new Flaw(`has a header with an absurd ${what}`);
}

/** What the field of the checksum counts for: eight blanks. */
const blanks = 8 * 0x20;

/** The sum of all bytes, with blanks for the sum itself; old programs took the bytes for signed. */
function checksums(block: Buffer): { readonly unsigned: number; readonly signed: number } {
  let sum = blanks;
  let high = 0;
  for (let index = 0; index < blockSize; index++) {
    if (index === 148) index = 156;
    const byte = block[index] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  return { unsigned: sum, signed: sum - 256 * high };
}

export function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function formatOf(block: Buffer): TarHeader["format"] {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar\0")) return "v7";
  // star has times where the prefix of a long name ends.
  const isTime = (at: number): boolean => /[0-7]/.test(String.fromCharCode(block[at] ?? 0)) && block[at + 11] === 0x20;
  return block[475] === 0 && isTime(476) && isTime(488) ? "star" : "ustar";
}

/** Text up to the first NUL, or all of the field. */
function textAt(block: Buffer, at: number, length: number): ByteName {
  const end = block.indexOf(0, at);
  return block.toString("latin1", at, end === -1 ? at + length : Math.min(end, at + length));
}
