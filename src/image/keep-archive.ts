import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { needingRoom } from "../host/disk-room.js";
import type { ImageRef } from "../plan/image-ref.js";

/**
 * A stream that passes an archive on, and writes it to a new file on the way. It breaks off where the disk is full, and with `archive`, as
 * `archive` does with it.
 */
export function keepArchive(archive: Readable, path: string): Readable {
  let file: FileHandle | undefined;
  const kept = new Transform({
    // Chunk by chunk: read as bytes, those that wait would be copied together.
    readableObjectMode: true,
    readableHighWaterMark: 4,
    construct(done) {
      needingRoom(dirname(path), () => open(path, "wx", 0o600)).then((opened) => {
        file = opened;
        done();
      }, done);
    },
    transform(chunk: Buffer, _encoding, done) {
      needingRoom(dirname(path), async () => file?.appendFile(chunk)).then(() => done(null, chunk), done);
    },
    flush(done) {
      file?.sync().then(() => done(), done);
    },
    destroy(error, done) {
      Promise.resolve(file?.close()).then(() => done(error), done);
    },
  });
  // Whoever reads it gets the error too.
  pipeline(archive, kept).catch(() => undefined);
  return kept;
}

/** The ending of an archive's name, such as `.tar.zst`. */
export function archiveEnding(image: ImageRef): string {
  return /(\.tar)?\.[A-Za-z0-9]{1,10}$/.exec(new URL(image.url).pathname)?.[0] ?? "";
}
