import { Readable } from "node:stream";
import { CommandError } from "../base/errors.js";
import type { Host } from "../host/host.js";
import { archiveKind } from "./archive-kind.js";
import { firstBytes, tarDecompressor } from "./extract.js";

/**
 * Reads one file of a tar archive, and of the archive no more than it takes.
 * @param name as it is in the archive, such as `./nspawn-image.yaml`
 * @returns its text; undefined if the archive has no such file, or is none
 */
export async function readMember(host: Host, archive: Readable, name: string): Promise<string | undefined> {
  const chunks = archive[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const start = await firstBytes(chunks);
  const kind = archiveKind(start);
  if (kind?.kind !== "tar") {
    archive.destroy();
    return undefined;
  }
  const decompressor = tarDecompressor(kind.compression);
  const program = decompressor === undefined ? [] : [`--use-compress-program=${decompressor}`];
  try {
    // --occurrence: the first one counts, and nothing behind it is read.
    const { stdout } = await host.run({
      argv: ["tar", "--extract", "--to-stdout", "--occurrence=1", "--file=-", ...program, "--", name],
      input: Readable.from(both(start, chunks)),
      dropsInput: true,
    });
    return stdout;
  } catch (error) {
    if (error instanceof CommandError && error.output.includes("Not found in archive")) return undefined;
    throw error;
  } finally {
    archive.destroy();
  }
}

async function* both(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield start;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
