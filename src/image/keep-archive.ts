import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type ByteSource, byteSource, piecesOf } from "../base/byte-source.js";
import { needingRoom } from "../host/disk-room.js";
import type { ImageRef } from "../plan/image-ref.js";

/**
 * Passes an archive on, and writes it to a new file on the way. It breaks off where the disk is full, and with `archive`, as `archive` does
 * with it.
 */
export function keepArchive(archive: ByteSource, path: string): ByteSource {
  const pieces = piecesOf(archive);
  let opened: Promise<FileHandle> | undefined;
  const close = async (): Promise<void> => (await opened)?.close();
  const next = async (): Promise<Buffer | undefined> => {
    opened ??= needingRoom(dirname(path), () => open(path, "wx", 0o600));
    const file = await opened;
    const { done, value: piece } = await pieces.next();
    if (done) await file.sync();
    else await needingRoom(dirname(path), () => file.appendFile(piece));
    if (done) await file.close();
    return piece;
  };
  return byteSource(next, (why) => {
    archive.destroy(why);
    close().catch(() => undefined);
  });
}

/** The ending of an archive's name, such as `.tar.zst`. */
export function archiveEnding(image: ImageRef): string {
  return /(\.tar)?\.[A-Za-z0-9]{1,10}$/.exec(new URL(image.url).pathname)?.[0] ?? "";
}
