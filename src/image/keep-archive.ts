import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { ImageRef } from "../plan/image-ref.js";

/** A stream that passes an archive on, and writes it to a new file on the way. It breaks off where the disk is full. */
export function keepArchive(archive: Readable, path: string): Readable {
  return Readable.from(written(archive, path), { highWaterMark: 4 });
}

/** The ending of an archive's name, such as `.tar.zst`. */
export function archiveEnding(image: ImageRef): string {
  return /(\.tar)?\.[A-Za-z0-9]{1,10}$/.exec(new URL(image.url).pathname)?.[0] ?? "";
}

async function* written(archive: Readable, path: string): AsyncGenerator<Buffer> {
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of archive as AsyncIterable<Buffer>) {
      await file.appendFile(chunk);
      yield chunk;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}
