import { NspawnError } from "../base/errors.js";
import type { Compression } from "../plan/image-ref.js";
import { compressionOfBytes } from "./compression.js";

/** What an archive is, by its content: a compressed one is taken for a tar archive until tar has looked into it. */
export type ArchiveKind = { readonly kind: "tar"; readonly compression: Compression | undefined } | { readonly kind: "zip" };

/** As many bytes as {@link archiveKind} wants to see: a block of tar. */
export const headLength = 512;

/** The archives that can be read, for messages. */
const archiveKinds = ".tar, .tar.gz, .tar.xz, .tar.zst and .zip";

/** What an archive is by its first {@link headLength} bytes: names lie, content does not. Undefined: none that can be read. */
export function archiveKind(head: Buffer): ArchiveKind | undefined {
  const compression = compressionOfBytes(head);
  if (compression) return { kind: "tar", compression };
  if (isTarHeader(head)) return { kind: "tar", compression: undefined };
  return zipStarts.some((start) => startsWith(head, start)) ? { kind: "zip" } : undefined;
}

/** The error for what is none of the archives that can be read. */
export function noArchive(origin: string, head: Buffer): NspawnError {
  return new NspawnError(`${origin} is no archive: it looks like ${looksLike(head)}`, { hint: `${archiveKinds} can be read` });
}

/** What a file that is no such archive looks like, in a few words. */
function looksLike(head: Buffer): string {
  if (head.length === 0) return "an empty file";
  const other = otherStarts.find(([, start]) => startsWith(head, start));
  if (other) return other[0];
  const text = head.toString("utf8").trimStart();
  if (/^<(!doctype html|html|head|body)/i.test(text)) return "an HTML page";
  if (/^<\?xml/i.test(text)) return "an XML file";
  if (/^[{[]/.test(text)) return "a JSON file";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what text does not have
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]/.test(text.slice(0, -3)) ? "something unknown" : "a text";
}

/** Local file header, and the end of an archive without files (APPNOTE.TXT 4.3.7, 4.3.16). */
const zipStarts = ["504b0304", "504b0506"];

/** Starts of files that people take for archives, or for what is in one. */
const otherStarts: readonly (readonly [string, string])[] = [
  ["a .bz2 file", "425a68"],
  ["a .7z archive", "377abcaf271c"],
  ["a .rar archive", "526172211a07"],
  ["a .lz4 file", "04224d18"],
  ["a .lz file", "4c5a4950"],
  ["a .lzma file", "5d0000"],
  ["a Debian package", "213c617263683e0a64656269616e"],
  ["an .rpm package", "edabeedb"],
  ["a program", "7f454c46"],
  ["a SquashFS image", "68737173"],
];

function startsWith(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).toString("hex") === hex;
}

/** Whether the checksum of a tar header is right; an archive of nothing is blocks of zeros (tar(5)). */
function isTarHeader(head: Buffer): boolean {
  if (head.length < headLength) return false;
  if (head.every((byte) => byte === 0)) return true;
  const written = Number.parseInt(head.toString("latin1", 148, 156).trim(), 8);
  const sum = head.subarray(0, headLength).reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return written === sum;
}
