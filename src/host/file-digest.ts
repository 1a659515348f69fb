import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** Files up to this size are hashed here: to have threads do it would take longer. */
const small = 1 << 20;

const chunkSize = 1 << 22;

/** Chunks of a file that are hashed at the same time, in the threads of Node's pool. */
const atOnce = 4;

/**
 * A digest of a file's content, in hexadecimal digits; that of a large one is made of the SHA-256 of each 4 MiB, so that all cores take part.
 * It is for comparing files here, and no SHA-256 of the whole.
 * @param size as lstat(2) tells it
 */
export async function fileDigest(path: string | Buffer, size: number): Promise<string> {
  if (size <= small) return digestOfSmall(path);
  const file = await open(path);
  try {
    return await digestOfChunks(file, size);
  } finally {
    await file.close();
  }
}

/** One for all files: memory that was never used takes longer to get than to read most of them into it. */
const buffer = Buffer.allocUnsafeSlow(1 << 18);

function digestOfSmall(path: string | Buffer): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

async function digestOfChunks(file: FileHandle, size: number): Promise<string> {
  const whole = createHash("sha256");
  const chunks = Math.ceil(size / chunkSize);
  for (let first = 0; first < chunks; first += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, chunks - first) }, (_, index) => chunkDigest(file, size, first + index));
    for (const digest of await Promise.all(group)) whole.update(digest);
  }
  return whole.digest("hex");
}

async function chunkDigest(file: FileHandle, size: number, index: number): Promise<Uint8Array> {
  const chunk = Buffer.allocUnsafeSlow(Math.min(chunkSize, size - index * chunkSize));
  let filled = 0;
  while (filled < chunk.length) {
    const { bytesRead } = await file.read(chunk, filled, chunk.length - filled, index * chunkSize + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", chunk.subarray(0, filled)));
}
