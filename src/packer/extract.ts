import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { type ByteSource, byteSource, piecesOf } from "../base/byte-source.js";
import { CommandError, NspawnError } from "../base/errors.js";
import { storeAdvice } from "../host/disk-room.js";
import type { Host } from "../host/host.js";
import type { PieceTaker, TakePiece } from "../host/pieces.js";
import { ArchiveError } from "./archive-error.js";
import { type ArchiveKind, archiveKind, headLength, noArchive } from "./archive-kind.js";
import { runDecompressor } from "./compression.js";
import { FreeSpace } from "./free-space.js";
import { Guard } from "./guard.js";
import { type AllowedDevices, type ArchiveLimits, MemberRules } from "./member-rules.js";
import { extractTar } from "./tar.js";

/** An archive's own digest and size. */
export type Extracted = { readonly digest: string; readonly bytes: number };

/**
 * `layer`: whether it is the layer of an image, whose marks of opaque folders count; `announced`: the size of the archive in bytes, as far
 * as it is known; `once`: a name at the archive's top that no two members may have.
 */
export type ExtractOptions = {
  readonly layer: boolean;
  readonly devices: AllowedDevices;
  readonly limits: ArchiveLimits;
  readonly announced?: number | undefined;
  readonly once?: string | undefined;
};

/**
 * Extracts an archive as it comes in: hashed, decompressed, looked through and written in one pass. What it is, its content says. It is
 * read to its end, so that every checksum in it counts. Where it fails, the folder may hold some of it, and nothing is anywhere else.
 * @param origin what it is, for errors
 * @param folder an empty folder; a zip archive is kept beside it meanwhile
 * @throws ArchiveError if it is broken or holds what none may hold; NspawnError if the disk is full; MissingProgramError; the error that
 *   `archive` broke off with
 */
export async function extractArchive(
  host: Host,
  archive: ByteSource,
  origin: string,
  folder: string,
  { announced, ...options }: ExtractOptions,
): Promise<Extracted> {
  const space = new FreeSpace(origin, folder);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    if (announced !== undefined) await space.checkFits(announced);
    const { start, whole } = await withStart(archive, (piece) => {
      hash.update(piece);
      bytes += piece.length;
    });
    const kind = archiveKind(start);
    if (!kind) throw noArchive(origin, start);
    await extractFrom(host, kind, whole, origin, { folder, space, ...options });
  } finally {
    archive.destroy();
  }
  return { digest: `sha256:${hash.digest("hex")}`, bytes };
}

type Target = Omit<ExtractOptions, "announced"> & { readonly folder: string; readonly space: FreeSpace };

async function extractFrom(
  host: Host,
  kind: ArchiveKind,
  archive: ByteSource,
  origin: string,
  { folder, layer, devices, limits, once, space }: Target,
): Promise<void> {
  const guard = new Guard(origin, new MemberRules(limits, devices, once), space);
  let failure: { readonly reason: unknown } | undefined;
  // What fails first is the cause; what the others say of that is no news.
  const stop = (reason: unknown): void => {
    failure ??= { reason };
    guard.stop();
    archive.destroy();
  };
  const take: TakePiece = (piece, done) =>
    guard.take(piece, (error) => {
      // At once, not when everybody has ended: nothing more is to be read.
      if (error) stop(error);
      done(error);
    });
  const onLine = (line: string): void => {
    if (line.endsWith(diskFull)) stop(new NspawnError(`the disk of ${folder} is full: ${line}`, { hint: storeAdvice }));
  };
  await Promise.all([
    readTar(host, kind, archive, origin, { take, pass: guard.pass, beside: folder, space })
      .then(() => guard.finish())
      .catch(stop),
    extractTar(host, guard.feed, folder, { layer, onLine }).catch((error: unknown) => stop(byProgram(error, origin))),
  ]);
  if (failure) throw failure.reason;
}

/** strerror(3) of ENOSPC, which is also what a file system without a free inode says. */
const diskFull = "No space left on device";

/** Reads any archive as a plain tar archive. `beside`: a path that names can be made from for what is needed meanwhile. */
async function readTar(
  host: Host,
  kind: ArchiveKind,
  archive: ByteSource,
  origin: string,
  { take, pass, beside, space }: Required<PieceTaker> & { readonly beside: string; readonly space: FreeSpace },
): Promise<void> {
  if (kind.kind === "zip") {
    const zip = `${beside}.zip`;
    try {
      // Its list of files is at its end.
      await writeTo(zip, archive, space);
      const { zipAsTar } = await import("./zip.js");
      await takeAll(zipAsTar(zip, origin), take);
    } finally {
      await rm(zip, { force: true });
    }
  } else if (kind.compression === undefined) await takeAll(archive, take);
  else {
    try {
      await runDecompressor(host, kind.compression, { input: archive, bulk: { take, pass } });
    } catch (error) {
      // One that was killed, as where memory ran out, says nothing of the archive.
      throw error instanceof CommandError && error.signal === undefined
        ? new ArchiveError(origin, `is cut off or damaged: ${firstLine(error)}`, { cause: error })
        : byProgram(error, origin);
    }
  }
}

async function takeAll(chunks: AsyncIterable<Buffer>, take: TakePiece): Promise<void> {
  for await (const chunk of chunks) await new Promise<void>((done, fail) => take(chunk, (error) => (error ? fail(error) : done())));
}

async function writeTo(path: string, archive: ByteSource, space: FreeSpace): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const piece of archive) {
      await space.wrote(piece.length);
      await file.appendFile(piece);
    }
  } finally {
    await file.close();
  }
}

function byProgram(error: unknown, origin: string): unknown {
  return error instanceof CommandError ? new NspawnError(`${origin} cannot be extracted: ${firstLine(error)}`, { cause: error }) : error;
}

function firstLine(error: CommandError): string {
  return error.output.split("\n")[0] || error.message;
}

/**
 * What an archive begins with, enough of it to tell what it is, if there is as much; and the whole of it, which gives `archive` up with itself.
 * @param see gets each piece before it is read
 */
export async function withStart(
  archive: ByteSource,
  see: (piece: Buffer) => void = () => undefined,
): Promise<{ readonly start: Buffer; readonly whole: ByteSource }> {
  const pieces = piecesOf(archive);
  const parts: Buffer[] = [];
  for (let length = 0; length < headLength; ) {
    const { done, value } = await pieces.next();
    if (done) break;
    // A copy, as the next piece may have the same memory.
    parts.push(Buffer.from(value));
    length += value.length;
  }
  const start = Buffer.concat(parts);
  let first: Buffer | undefined = start;
  const next = async (): Promise<Buffer | undefined> => {
    const piece = first ?? (await pieces.next()).value;
    first = undefined;
    if (piece !== undefined) see(piece);
    return piece;
  };
  return { start, whole: byteSource(next, (why) => archive.destroy(why)) };
}
