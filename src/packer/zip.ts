import { crc32 } from "node:zlib";
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from "yauzl";
import { type ByteName, toBytes } from "../base/byte-path.js";
import { messageOf, NspawnError } from "../base/errors.js";
import { ArchiveError, Flaw } from "./archive-error.js";
import { endMark, type NewMember, paddingOf, writeHeader } from "./tar-writer.js";

/**
 * Reads a zip archive as a tar archive, in the order of its list of files: with modes, set-uid bits, times and symlinks where it comes from
 * Unix (APPNOTE.TXT; Info-ZIP's proginfo/extrafld.txt). Every file has just as many bytes as the list says, with its checksum, or that is
 * an error.
 * @param path of a file: the list is at its end
 * @param origin what it is, for errors
 * @throws ArchiveError while it is read
 */
export async function* zipAsTar(path: string, origin: string): AsyncGenerator<Buffer> {
  let member: ByteName | undefined;
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false });
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) {
        throw new ArchiveError(origin, "is encrypted", { hint: "only archives without a password can be read" });
      }
      member = nameOf(entry);
      yield* memberOf(zip, entry, member);
    }
    yield endMark;
  } catch (error) {
    if (error instanceof NspawnError) throw error;
    if (error instanceof Flaw) throw new ArchiveError(origin, error.message, { member, hint: error.hint });
    throw new ArchiveError(origin, `is cut off or damaged: ${messageOf(error)}`, { member, cause: error });
  } finally {
    zip?.close();
  }
}

async function* memberOf(zip: ZipFile, entry: Entry, name: ByteName): AsyncGenerator<Buffer> {
  if (name.includes("\0")) throw new Flaw("has a NUL in its name");
  if (!entry.canDecodeFileData()) {
    throw new Flaw(
      `is compressed by the method ${entry.compressionMethod}, which cannot be read`,
      "pack it by zip's usual method, deflate",
    );
  }
  const { kind, mode } = typeOf(entry, name);
  const time = entry.getLastModDate({ timezone: "UTC" }).getTime() / 1000;
  const bytes = entry.uncompressedSize;
  if (kind === "file") {
    yield writeHeader({ kind, name, mode, time, bytes });
    yield* contentOf(zip, entry);
    yield paddingOf(bytes);
  } else if (kind === "folder") yield writeHeader({ kind, name, mode, time, bytes: 0 });
  else yield writeHeader({ kind, name, link: await linkOf(zip, entry), mode, time, bytes: 0 });
}

async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  let checksum = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (checksum !== entry.crc32) throw new Flaw("has a wrong checksum");
}

/** The target of a symlink is its content. */
async function linkOf(zip: ZipFile, entry: Entry): Promise<ByteName> {
  if (entry.uncompressedSize > longestLink) throw new Flaw(`is a symlink with a target of ${entry.uncompressedSize} bytes`);
  const parts: Buffer[] = [];
  for await (const part of contentOf(zip, entry)) parts.push(part);
  const link = Buffer.concat(parts).toString("latin1");
  if (link.includes("\0")) throw new Flaw("is a symlink with a NUL in its target");
  return link;
}

/** PATH_MAX, limits.h(0p). */
const longestLink = 4096;

/** Whether its attributes are those of Unix: by the system that it was made on, 3 for Unix and 19 for macOS. */
function isUnix({ versionMadeBy }: Entry): boolean {
  return [3, 19].includes(versionMadeBy >> 8);
}

/** Names from Unix are bytes; others are text in one of several ways, with `\` between folders in some. */
function nameOf(entry: Entry): ByteName {
  if (isUnix(entry)) return entry.fileNameRaw.toString("latin1");
  return toBytes(getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false));
}

function typeOf(entry: Entry, name: ByteName): Pick<NewMember, "kind" | "mode"> {
  const attributes = isUnix(entry) ? entry.externalFileAttributes >>> 16 : 0;
  const kind = name.endsWith("/") ? "folder" : unixTypes.get(attributes & 0o170000);
  if (!kind) throw new Flaw("is no file, folder or symlink");
  return { kind, mode: attributes === 0 ? (kind === "folder" ? 0o755 : 0o644) : attributes & 0o7777 };
}

/** File types of stat(2); 0: none is given. */
const unixTypes: ReadonlyMap<number, NewMember["kind"]> = new Map([
  [0, "file"],
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "symlink"],
]);
