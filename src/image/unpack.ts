import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { CommandError, NspawnError } from "../base/errors.js";
import type { Host } from "../host/host.js";
import { programPath } from "../host/programs.js";
import { statInRoot } from "../layer/root-path.js";
import { compressionOfBytes, decompressor } from "../packer/compression.js";
import { extractTar } from "../packer/tar.js";
import { metaFile } from "./meta.js";

/** An archive that was extracted: the root of what is in it, and the archive's own digest and size. */
export type Unpacked = { readonly folder: string; readonly digest: string; readonly bytes: number };

/**
 * Extracts an archive as it comes in: hashed, decompressed and written in one pass.
 * @param origin what it is, for errors
 * @param scratch a folder that is there; the result is a new folder in it
 */
export async function unpack(host: Host, archive: Readable, origin: string, scratch: string): Promise<Unpacked> {
  const folder = join(scratch, "layer");
  await mkdir(folder, { mode: 0o755 });
  const hash = createHash("sha256");
  let bytes = 0;
  const forward = new PassThrough({ highWaterMark: 1 << 20 });
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const start = await firstBytes(chunks);
  let refused: unknown;
  const extracted = extractTar(host, forward, folder, decompressorFor(start)).catch((error: unknown) => {
    refused = error instanceof CommandError ? cannotExtract(origin, error) : error;
    // Nothing more is read: the loop below ends.
    archive.destroy();
  });
  const take = async (chunk: Buffer): Promise<void> => {
    hash.update(chunk);
    bytes += chunk.length;
    if (!forward.write(chunk)) await Promise.race([once(forward, "drain"), extracted]);
  };
  try {
    await take(start);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) await take(next.value);
    forward.end();
  } catch (error) {
    // Either tar has given up, or the archive broke off, and then what tar says of that is no news.
    const cause = refused ?? error;
    forward.destroy();
    await extracted;
    throw cause;
  }
  await extracted;
  if (refused !== undefined) throw refused;
  return { folder: await rootOf(folder), digest: `sha256:${hash.digest("hex")}`, bytes };
}

/** The bootstrap archives of Arch Linux have their root in a folder of its own. */
async function rootOf(folder: string): Promise<string> {
  const nested = "root.x86_64";
  const isFolder = (name: string): boolean => statInRoot(folder, name)?.isDirectory() ?? false;
  // An image that happens to have a folder of this name says what it is at its top.
  if (statInRoot(folder, metaFile) || isFolder("usr") || !isFolder(nested)) return folder;
  const root = `${folder}.root`;
  await rename(join(folder, nested), root);
  return root;
}

/** Enough bytes to tell the compression. */
async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  while (start.length < 6) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  return start;
}

function decompressorFor(start: Buffer): string | undefined {
  const compression = compressionOfBytes(start);
  if (!compression) return undefined;
  const [program, ...args] = decompressor(compression);
  return [programPath(program), ...args].join(" ");
}

function cannotExtract(origin: string, error: CommandError): NspawnError {
  const [line] = error.output.split("\n");
  return new NspawnError(`${origin} cannot be extracted: ${line || error.message}`, { cause: error });
}
