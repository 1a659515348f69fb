import { Readable, Writable } from "node:stream";
import type { FreeSpace } from "./free-space.js";
import type { MemberRules } from "./member-rules.js";
import { TarReader } from "./tar-reader.js";

/** A tar archive on its way to tar: what is written to `input` comes out of `output` unchanged. */
export type Guard = {
  readonly input: Writable;
  readonly output: Readable;
  /**
   * Ends `output`. To be called when all has been written, and whatever wrote it has found nothing wrong with it.
   * @throws ArchiveError if something is missing
   */
  finish(): void;
};

/**
 * Reads a tar archive before tar does. `input` breaks off, in an ArchiveError, in front of the first member that must not be extracted, and
 * where the disk would be full.
 * @param archive what it is, for errors
 */
export function guardTar(archive: string, rules: MemberRules, space: FreeSpace): Guard {
  const reader = new TarReader(archive, (member) => {
    rules.check(member);
    return undefined;
  });
  let wanted: (() => void) | undefined;
  const output = new Readable({
    highWaterMark,
    read() {
      const go = wanted;
      wanted = undefined;
      go?.();
    },
  });
  // No promises and no transforms on this way, which gigabytes take in pieces of 64 KiB.
  const pass = (chunk: Buffer, done: () => void): void => {
    if (output.push(chunk)) done();
    else wanted = done;
  };
  const input = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      try {
        reader.read(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      const look = space.wrote(chunk.length);
      if (look) look.then(() => pass(chunk, done), done);
      else pass(chunk, done);
    },
  });
  return {
    input,
    output,
    finish: () => {
      reader.close();
      output.push(null);
    },
  };
}

/** Bytes that may wait on each side of it. */
const highWaterMark = 1 << 20;
