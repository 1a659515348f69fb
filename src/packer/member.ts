import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ByteSource } from "../base/byte-source.js";
import type { Host } from "../host/host.js";
import { archiveKind, noArchive } from "./archive-kind.js";
import { runDecompressor } from "./compression.js";
import { withStart } from "./extract.js";
import { type TakeMember, TarReader } from "./tar-reader.js";

/**
 * Reads one file of a tar archive, and of the archive no more than it takes. Of several with that name the first one counts.
 * @param origin what the archive is, for errors
 * @param name of a file at the archive's top, with or without `./` there
 * @param most bytes that are no more than it should have; of a larger file the beginning is read, which is longer than that
 * @returns its text, empty if it is no file; undefined if the archive has no such member, or is a zip archive, which is listed at its end
 * @throws NspawnError if it is no archive; ArchiveError, CommandError if it is broken up to there
 */
export async function readMember(host: Host, archive: ByteSource, origin: string, name: string, most: number): Promise<string | undefined> {
  try {
    const { start, whole } = await withStart(archive);
    const kind = archiveKind(start);
    if (!kind) throw noArchive(origin, start);
    if (kind.kind === "zip") return undefined;
    const wanted = new Wanted(name, most);
    const reader = new TarReader(origin, wanted.take);
    const output = untilFound(reader, wanted);
    try {
      if (kind.compression === undefined) await pipeline(whole, output);
      else await runDecompressor(host, kind.compression, { input: whole, dropsInput: true, output });
      if (!wanted.whole) reader.close();
    } catch (error) {
      if (error !== enough) throw error;
    }
    return wanted.text();
  } finally {
    archive.destroy();
  }
}

/** The file that is looked for, as far as it has come. */
class Wanted {
  readonly #name: string;
  readonly #most: number;
  readonly #parts: Buffer[] = [];
  #found = false;
  /** Bytes that are still to come. */
  #left = 0;

  constructor(name: string, most: number) {
    this.#name = name;
    this.#most = most;
  }

  readonly take: TakeMember = (member) => {
    if (this.#found || member.name.replace(/^(?:\.\/)+/, "") !== this.#name) return undefined;
    this.#found = true;
    // More than these are not read, so that they need not be held.
    this.#left = member.kind === "file" ? Math.min(member.bytes, this.#most + 1) : 0;
    return (content) => {
      const part = content.subarray(0, this.#left);
      this.#left -= part.length;
      // A copy: it is part of something larger.
      this.#parts.push(Buffer.from(part));
    };
  };

  get whole(): boolean {
    return this.#found && this.#left === 0;
  }

  text(): string | undefined {
    return this.#found ? Buffer.concat(this.#parts).toString("utf8") : undefined;
  }
}

const enough = new Error("enough");

/** Reads, and breaks off in the error {@link enough} when the file has been found. */
function untilFound(reader: TarReader, wanted: Wanted): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        reader.read(chunk);
        done(wanted.whole ? enough : null);
      } catch (error) {
        // What comes behind it, and is wrong, is for whoever extracts it.
        done(wanted.whole ? enough : (error as Error));
      }
    },
  });
}
