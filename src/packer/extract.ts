import { createHash } from "node:crypto";
import { once } from "node:events";
import { unlink } from "node:fs/promises";
import { PassThrough, type Readable } from "node:stream";
import { CommandError, NspawnError } from "../base/errors.js";
import type { Host } from "../host/host.js";
import { programPath, requirePrograms } from "../host/programs.js";
import type { Compression } from "../plan/image-ref.js";
import { type ArchiveKind, archiveKind, archiveKinds, headLength, looksLike } from "./archive-kind.js";
import { decompressor } from "./compression.js";
import { extractTar } from "./tar.js";
import { extractZip } from "./zip.js";

/** An archive's own digest and size. */
export type Extracted = { readonly digest: string; readonly bytes: number };

/**
 * Extracts an archive as it comes in: hashed, decompressed and written in one pass. What it is, its content says.
 * @param origin what it is, for errors
 * @param folder a folder that is there; a zip archive is kept beside it meanwhile
 * @param layer whether it is the layer of an image, whose marks of opaque folders count
 * @throws NspawnError, MissingProgramError, or the error that `archive` broke off with
 */
export async function extractArchive(
  host: Host,
  archive: Readable,
  origin: string,
  folder: string,
  { layer }: { readonly layer: boolean },
): Promise<Extracted> {
  const hash = createHash("sha256");
  let bytes = 0;
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const start = await firstBytes(chunks);
  const kind = archiveKind(start);
  if (!kind) {
    archive.destroy();
    throw new NspawnError(`${origin} is no archive: it looks like ${looksLike(start)}`, { hint: `${archiveKinds} can be read` });
  }
  const forward = new PassThrough({ highWaterMark: 1 << 20 });
  let refused: unknown;
  const extracted = extractFrom(host, kind, forward, origin, { folder, layer }).catch((error: unknown) => {
    refused = cannotExtract(origin, error);
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
    // Either the program has given up, or the archive broke off, and then what the program says of that is no news.
    const cause = refused ?? error;
    forward.destroy();
    await extracted;
    throw cause;
  }
  await extracted;
  if (refused !== undefined) throw refused;
  return { digest: `sha256:${hash.digest("hex")}`, bytes };
}

async function extractFrom(
  host: Host,
  kind: ArchiveKind,
  archive: Readable,
  origin: string,
  { folder, layer }: { readonly folder: string; readonly layer: boolean },
): Promise<void> {
  if (kind.kind === "tar") return extractTar(host, archive, folder, { decompressor: tarDecompressor(kind.compression), layer });
  // Before the download, not after it.
  requirePrograms(["unzip"]);
  const file = `${folder}.zip`;
  // By a program, which an interrupt ends, and the download with it.
  await host.run({ argv: ["dd", `of=${file}`, "bs=1M", "status=none"], input: archive });
  await extractZip(host, file, origin, folder);
  await unlink(file);
}

/** Enough bytes to tell what it is, if there are as many. */
export async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  while (start.length < headLength) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  return start;
}

/** The program that decompresses, as tar takes it; undefined if there is nothing to decompress. */
export function tarDecompressor(compression: Compression | undefined): string | undefined {
  if (!compression) return undefined;
  const [program, ...args] = decompressor(compression);
  return [programPath(program), ...args].join(" ");
}

function cannotExtract(origin: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const [line] = error.output.split("\n");
  return new NspawnError(`${origin} cannot be extracted: ${line || error.message}`, { cause: error });
}
