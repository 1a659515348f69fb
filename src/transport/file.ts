import { type BigIntStats, constants } from "node:fs";
import { copyFile, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSource, byteSource } from "../base/byte-source.js";
import { hasCode, hintOf, messageOf, TransferError } from "../base/errors.js";
import { isAlive, processName, processSpace } from "../base/process-id.js";
import { needingRoom, showRoom } from "../host/disk-room.js";
import type { ImageRef } from "../plan/image-ref.js";
import { ChangedError } from "./failure.js";
import type { Transport, Upload, Validators } from "./transport.js";

/**
 * `file:` URLs: archives on this host. They are never linked to anything of ours, whose content has to stay: whoever owns an archive may write
 * over it in its place.
 */
export const fileTransport: Transport = {
  async probe(image) {
    return validators(await status(image));
  },
  async get(image) {
    // Opened, a pipe would wait for somebody to write.
    await status(image);
    const file = await open(pathOf(image), "r").catch((error: unknown) => {
      throw new TransferError(image.written, messageOf(error), { cause: error });
    });
    // Of the open file: another may be put in its place meanwhile.
    const stats = await file.stat({ bigint: true });
    return { body: unchanged(image, file, stats), bytes: Number(stats.size), validators: validators(stats) };
  },
  async put(image, upload) {
    const path = pathOf(image);
    try {
      await needingRoom(dirname(path), () => publish(path, upload), `make room there, the archive has ${showRoom(upload.bytes)}`);
    } catch (error) {
      throw new TransferError(image.written, `cannot be written: ${messageOf(error)}`, { cause: error, hint: hintOf(error) });
    }
  },
};

/** Bytes that are read at once. With 1 MiB, the pull of an archive of 65 MB took 128 MB of memory, and takes 101 MB. */
const pieceSize = 1 << 18;

function pathOf(image: ImageRef): string {
  return fileURLToPath(image.url);
}

async function status(image: ImageRef): Promise<BigIntStats> {
  try {
    const stats = await stat(pathOf(image), { bigint: true });
    if (stats.isFile()) return stats;
  } catch (error) {
    const why = hasCode(error, "ENOENT", "ENOTDIR") ? "there is no such file" : messageOf(error);
    throw new TransferError(image.written, why, { cause: error });
  }
  throw new TransferError(image.written, "it is no file");
}

/** The content of a file, to its end; a ChangedError if somebody has written to it meanwhile. */
function unchanged(image: ImageRef, file: FileHandle, before: BigIntStats): ByteSource {
  const memory = Buffer.allocUnsafeSlow(pieceSize);
  const next = async (): Promise<Buffer | undefined> => {
    const { bytesRead } = await file.read(memory, 0, memory.length, null);
    if (bytesRead > 0) return memory.subarray(0, bytesRead);
    const after = await file.stat({ bigint: true });
    await file.close();
    if (after.size === before.size && after.mtimeNs === before.mtimeNs) return undefined;
    const sizes = after.size === before.size ? "" : `: ${before.size} bytes became ${after.size}`;
    throw new ChangedError(image.written, `it was written to while it was read${sizes}`);
  };
  return byteSource(next, () => void file.close().catch(() => undefined));
}

/** A file that is replaced gets another inode; one that is written over gets another time or size. */
function validators({ dev, ino, size, mtimeNs }: BigIntStats): Validators {
  return { file: `${dev}:${ino}`, size: String(size), modified: String(mtimeNs) };
}

/** Puts the archive beside its place, synced, then renames it there. */
async function publish(path: string, upload: Upload): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await sweep(folder);
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.nspawn-${processSpace()}-${processName()}`);
  try {
    await moveOrCopy(upload.path, temporary);
    await syncFile(temporary);
    await rename(temporary, path);
    await syncFile(folder);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function moveOrCopy(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, "EXDEV")) throw error;
    // Shared where the file system can do that (FICLONE): each of the two may change without the other.
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
}

/** Milliseconds without a change after which no push is under way any more, wherever it was. */
const longestPush = 24 * 3600 * 1000;

/**
 * Removes what killed pushes have left beside the archives. Other hosts may share the folder, as by NFS, and containers: whether a process of
 * theirs is alive cannot be seen.
 */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, space, owner] = /^\..*\.nspawn-([0-9a-f]{16})-(\d+-\d+)$/.exec(name) ?? [];
    if (owner === undefined) continue;
    const path = join(folder, name);
    const isLeft = space === processSpace() ? !isAlive(owner) : await isOlder(path, longestPush);
    if (isLeft) await unlink(path).catch(() => undefined);
  }
}

async function isOlder(path: string, milliseconds: number): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > milliseconds;
}
