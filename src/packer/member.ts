import { Readable, Writable } from "node:stream";
import { CommandError } from "../base/errors.js";
import type { Host } from "../host/host.js";
import { archiveKind } from "./archive-kind.js";
import { firstBytes, tarDecompressor } from "./extract.js";

/**
 * Reads one file of a tar archive, and of the archive no more than it takes.
 * @param name as it is in the archive, such as `./nspawn-image.yaml`
 * @param most bytes that are no more than it should have; of a larger file the beginning is read, which is longer than that
 * @returns its text; undefined if the archive has no such file, or is none
 */
export async function readMember(host: Host, archive: Readable, name: string, most: number): Promise<string | undefined> {
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const start = await firstBytes(chunks);
  const kind = archiveKind(start);
  if (kind?.kind !== "tar") {
    archive.destroy();
    return undefined;
  }
  const decompressor = tarDecompressor(kind.compression);
  const program = decompressor === undefined ? [] : [`--use-compress-program=${decompressor}`];
  const text = beginning(most);
  try {
    // --occurrence: the first one counts, and nothing behind it is read.
    await host.run({
      argv: ["tar", "--extract", "--to-stdout", "--occurrence=1", "--file=-", ...program, "--", name],
      input: Readable.from(both(start, chunks)),
      dropsInput: true,
      output: text.output,
    });
    return text.read();
  } catch (error) {
    if (error === text.enough) return text.read();
    if (error instanceof CommandError && error.output.includes("Not found in archive")) return undefined;
    throw error;
  } finally {
    archive.destroy();
  }
}

/** Takes a text, and ends in the error `enough` when it has more bytes than these. */
function beginning(most: number): { readonly output: Writable; readonly enough: Error; read(): string } {
  const enough = new Error("enough");
  const chunks: Buffer[] = [];
  let bytes = 0;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      bytes += chunk.length;
      done(bytes > most ? enough : null);
    },
  });
  return { output, enough, read: () => Buffer.concat(chunks).toString("utf8") };
}

async function* both(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield start;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
