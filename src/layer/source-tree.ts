import { createHash } from "node:crypto";
import { type BigIntStats, readlinkSync } from "node:fs";
import type { ByteName } from "../base/byte-path.js";
import { fileDigest } from "../host/file-digest.js";
import { travelingAttributes } from "./attributes.js";
import { type SourceLook, sourceFiles } from "./source-look.js";

/** All that COPY takes of one file or folder. A change of any of it changes the image. */
export type SourceEntry = {
  readonly type: string;
  /** Octal digits. Owner and group are no part of it: everything arrives as root's. */
  readonly mode: string;
  /** Nanoseconds since 1970. */
  readonly time: string;
  /** Digest of a file, target of a symlink, numbers of a device; `= name` for a further name of the same file. */
  readonly content: string;
  /** Digest of the ACL and the extended attributes that travel; empty without any. */
  readonly attributes: string;
};

/** Entries by their names in bytes: below a folder, `.` for itself; a single file by its own name. */
export type SourceTree = ReadonlyMap<ByteName, SourceEntry>;

/**
 * Reads what a COPY of a file or folder depends on, contents included. The order of the entries is that of their names.
 * @param youngest time in seconds that nothing counts as younger than, since nothing in the image will be (SOURCE_DATE_EPOCH)
 * @param content digest of a regular file, where that is another than the one of its content here
 * @param look sees each file before it is read; made before this is called
 */
export async function readSourceTree(
  source: string,
  {
    youngest,
    content = fileDigest,
    look,
  }: { readonly youngest?: number | undefined; readonly content?: ContentDigest; readonly look?: SourceLook } = {},
): Promise<SourceTree> {
  const tree = new Map<ByteName, SourceEntry>();
  const links = new Map<string, ByteName>();
  for (const { name, path, stats } of sourceFiles(source)) {
    look?.see(name, stats);
    tree.set(name, {
      type: typeOf(stats),
      mode: (stats.mode & 0o7777n).toString(8),
      time: String(youngest === undefined ? stats.mtimeNs : smaller(stats.mtimeNs, BigInt(youngest) * 1_000_000_000n)),
      content: await contentOf(name, path, stats, links, content),
      attributes: attributesOf(path),
    });
  }
  return tree;
}

type ContentDigest = (path: Buffer, size: number) => Promise<string>;

async function contentOf(
  name: ByteName,
  path: Buffer,
  stats: BigIntStats,
  links: Map<string, ByteName>,
  content: ContentDigest,
): Promise<string> {
  if (stats.isSymbolicLink()) return readlinkSync(path, { encoding: "latin1" });
  if (stats.isDirectory()) return "";
  if (stats.nlink > 1n) {
    const file = `${stats.dev}:${stats.ino}`;
    const first = links.get(file);
    if (first !== undefined) return `= ${first}`;
    links.set(file, name);
  }
  return stats.isFile() ? content(path, Number(stats.size)) : String(stats.rdev);
}

function typeOf(stats: BigIntStats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : stats.isBlockDevice() ? "block device" : "device";
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Digest of the attributes of a file that travel. */
function attributesOf(path: Buffer): string {
  const attributes = travelingAttributes(path);
  if (attributes.size === 0) return "";
  const lines = [...attributes].map(([name, value]) => `${name}=0x${value.toString("hex")}`);
  return createHash("sha256").update(lines.join("\n"), "latin1").digest("hex");
}
