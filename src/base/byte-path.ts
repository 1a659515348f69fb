/**
 * File names on Linux are bytes, not text. Names that come from a folder are held as texts in which each character is one
 * byte (latin1), so that they sort and compare by bytes; they become Buffers on the way to the file system.
 */
export type ByteName = string;

/** A path for node:fs: that of a folder, then a relative one in bytes. */
export function bytePath(folder: string | Buffer, relative: ByteName): Buffer {
  const start = Buffer.from(folder);
  return relative === "" ? start : Buffer.concat([start, slash, Buffer.from(relative, "latin1")]);
}

const slash = Buffer.from("/");

/** A name in bytes as text for people. */
export function showName(name: ByteName): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** Text as bytes. */
export function toBytes(text: string): ByteName {
  return Buffer.from(text).toString("latin1");
}
