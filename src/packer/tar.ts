import { constants, lstatSync, mkdirSync, openSync, rmSync, symlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { type ByteName, bytePath } from "../base/byte-path.js";
import { CommandError, NspawnError } from "../base/errors.js";
import { settleAll } from "../base/settle.js";
import { type Argv, type Command, type Host, openFolder } from "../host/host.js";
import { inOwnNamespaces } from "../host/namespace.js";
import { runPiped } from "../host/piped.js";
import { few } from "./compression.js";

/**
 * What travels besides mode, owner and times. GNU tar takes only `user.*` by `--xattrs` alone: file capabilities and the
 * marks of opaque folders would be lost. Never `trusted.overlay.origin` and its like: they are of this host.
 */
const attributes = ["--xattrs", "--xattrs-include=user.*", "--xattrs-include=security.capability", "--acls"];
const opaqueAttribute = "--xattrs-include=trusted.overlay.opaque";

/** Files of one folder, `names` relative to it, in bytes. Folders bring nothing that is not named. */
export type TarSource = { readonly folder: Buffer; readonly names: readonly ByteName[] };

/** Options of tar for writing, in an order that matters: `--null` alone would take `-C/dir` of the list for a name. */
const fromList = ["--no-recursion", "--null", "--no-verbatim-files-from", "--no-unquote", "--files-from=-"];

/** 64 KiB in a call, not 10. The end of an archive is filled up with zeros to a multiple of that. */
const blocking = "--blocking-factor=128";

/**
 * The format that holds everything, with nothing of the host or the moment in it. Extended headers are not named after the folder (`%d`): that is the name
 * before {@link byLink}, with the layer's number. Only the header of a sparse file still has it (`%d/GNUSparseFile.%p/%f` in GNU tar's sparse.c).
 */
const format = [
  "--format=posix",
  "--pax-option=delete=atime,delete=ctime,exthdr.name=./PaxHeaders/%f",
  "--numeric-owner",
  "--sparse",
  blocking,
];

/**
 * Runs a program where numbers of users have no names. `--numeric-owner` leaves ACLs alone: tar writes into them what this host calls the
 * users, and another host, which has other users, would read it as others, or not at all.
 */
const withoutUsers = ["sh", "-ec", 'mount -t tmpfs tmpfs /etc; exec "$@"', "sh"] as const;

/** What an archive is made of: `folders` are those of the sources; those in /etc have to be there before `sources` is called, which it is once. */
export type ArchiveContent = { readonly folders: readonly Buffer[]; readonly sources: () => Promise<readonly TarSource[]> };

/**
 * Writes an archive to a file: the named files of several folders, in the order given, without copying them anywhere first. tar
 * is started before the names are known, which takes it its time. The same files give the same bytes: tar writes its own process id into
 * the header of a sparse file (`./GNUSparseFile.1/name`), so it has a process namespace of its own, where that is always the same.
 * @param compress a program that compresses from its input to its output, by the bytes of all files, or as many as tell that they are not few
 * @param onBytes gets what comes into the file, to be hashed
 * @throws CommandError, NspawnError where the file cannot be written
 */
export async function createArchive(
  host: Host,
  { folders, sources }: ArchiveContent,
  compress: (bytes: number) => Argv,
  path: string,
  onBytes: (bytes: Buffer) => void,
  options: { readonly clampTime?: number | undefined } = {},
): Promise<void> {
  // SOURCE_DATE_EPOCH: nothing in a reproducible archive is younger (https://reproducible-builds.org/specs/source-date-epoch/).
  const clamp = options.clampTime === undefined ? [] : [`--mtime=@${options.clampTime}`, "--clamp-mtime"];
  const tar: Argv = ["tar", "--create", "--file=-", ...format, ...attributes, opaqueAttribute, ...clamp, ...byLink, ...fromList];
  const alone = inOwnNamespaces([...withoutUsers, ...tar]);
  // Made here, so that nothing that is there is overwritten, and whoever may read it is the same everywhere.
  const file = await open(path, "wx+", 0o644);
  const links = `${path}.from`;
  try {
    mkdirSync(links);
    const list = fromLinks(folders, links);
    let known: Promise<readonly TarSource[]> | undefined;
    const members = (): Promise<readonly TarSource[]> => (known ??= sources());
    const from = { argv: alone, shown: tar, input: list.input, folders: list.folders, cwd: links };
    const to = async (): Promise<Command> => {
      const argv = compress(bytesOf(await members()));
      // Without tar, which is killed with this process, it comes to the end of its input.
      return { argv, output: { descriptor: openSync(path, constants.O_WRONLY) }, mayOutlive: true };
    };
    const written = runPiped(host, from, to, { needsAll: false });
    await settleAll([list.pass(members), written, readWhileWritten(file, written, onBytes)]);
  } catch (error) {
    // Nothing else is written but the archive.
    const [why] = error instanceof CommandError ? (/No space left on device|Disk quota exceeded/.exec(error.output) ?? []) : [];
    throw why === undefined ? error : new NspawnError(`the archive cannot be written to ${path}: ${why}`, { cause: error });
  } finally {
    await file.close();
    rmSync(links, { recursive: true, force: true });
  }
}

/** Bytes of the files of some sources, or of as many of them as are more than what is {@link few}: each has to be looked at. */
function bytesOf(sources: readonly TarSource[]): number {
  let bytes = 0;
  for (const { folder, names } of sources) {
    for (const name of names) {
      // What is not there tar tells of.
      const stats = lstatSync(bytePath(folder, name), { throwIfNoEntry: false });
      if (stats?.isFile()) bytes += stats.size;
      if (bytes > few) return bytes;
    }
  }
  return bytes;
}

/**
 * Reads a file as it grows, until what writes it has ended: that takes less time than a pipe that branches, which copies everything again. What
 * there is goes to the disk meanwhile, so that whoever syncs the file does not wait for all of it.
 */
async function readWhileWritten(file: FileHandle, written: Promise<unknown>, onBytes: (bytes: Buffer) => void): Promise<void> {
  const writing = new AbortController();
  const end = (): void => writing.abort();
  written.then(end, end);
  const buffer = Buffer.allocUnsafe(1 << 20);
  let [unsynced, syncing] = [0, Promise.resolve()];
  const sync = (): void => {
    unsynced = 0;
    syncing = syncing.then(() => file.datasync());
    // What could not be written, the kernel tells once: whoever syncs in the end would not be told. So it is an error here.
    syncing.catch(() => undefined);
  };
  try {
    for (;;) {
      const wasWritten = writing.signal.aborted;
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead > 0) onBytes(buffer.subarray(0, bytesRead));
      else if (wasWritten) return;
      else await setTimeout(readPause, undefined, { signal: writing.signal }).catch(() => undefined);
      unsynced += bytesRead;
      if (unsynced >= syncedAtOnce) sync();
    }
  } finally {
    await syncing;
  }
}

/** Bytes. */
const syncedAtOnce = 1 << 25;

/** Milliseconds until more may have been written. */
const readPause = 10;

/** `owner`: root's, or as they are; `folders`: whether one that exists gets the attributes of its source. */
export type PipeOptions = { readonly owner: "root" | "same"; readonly folders: "keep" | "overwrite" };

/** Copies files through tar into a folder, with all of their attributes. */
export async function pipeTar(
  host: Host,
  sources: readonly TarSource[],
  to: string | Buffer,
  { owner, folders }: PipeOptions,
): Promise<void> {
  const owners = owner === "root" ? ["--owner=root:0", "--group=root:0"] : [];
  const keep = folders === "keep" ? ["--no-overwrite-dir"] : [];
  await runPiped(
    host,
    { argv: ["tar", "--create", "--file=-", ...format, ...owners, ...attributes, ...fromList], ...fromSources(sources) },
    { argv: ["tar", "--extract", "--file=-", ...extractOptions, ...keep, `--directory=${openFolder(0)}`], folders: [to] },
    { needsAll: true },
  );
}

const extractOptions = [blocking, "--numeric-owner", "--same-owner", "--same-permissions", ...attributes];

/**
 * Extracts a tar archive into a folder, everything as it was packed. tar(1) keeps what would lead out of the folder in it (absolute names,
 * links), or fails (`..` in a name).
 * @param options `layer`: whether marks of opaque folders are taken along; `onLine`: gets what tar complains of
 * @throws CommandError
 */
export async function extractTar(
  host: Host,
  archive: NonNullable<Command["input"]>,
  folder: string,
  { layer, onLine }: { readonly layer: boolean; readonly onLine?: (line: string) => void },
): Promise<void> {
  const argv: Argv = [
    "tar",
    "--extract",
    "--file=-",
    ...extractOptions,
    ...(layer ? [opaqueAttribute] : []),
    `--directory=${openFolder(0)}`,
  ];
  await host.run({ argv, folders: [folder], input: archive, bulk: {}, ...(onLine ? { onLine } : {}) });
}

/**
 * What tar reads files from: a list with NUL after each entry. `-C` switches folders; they are named by their open files, since tar
 * splits options in a list as a shell would, and version 1.35 crashes on quotes there. `./` goes before each name, so that none looks
 * like an option.
 */
function fromSources(sources: readonly TarSource[]): Pick<Command, "input" | "folders"> {
  const list = new FileList();
  for (const { folder, names } of sources) {
    list.switchTo(folder);
    for (const name of names) list.add(`./${name}`);
  }
  list.end();
  return { input: list.input, folders: list.folders };
}

/**
 * The same for many folders: tar opens one at each switch, and from then on has the kernel look up names behind /proc/self/fd for attributes,
 * which takes longer than most files. So they are reached by numbered links in the folder that it starts in, and {@link byLink} takes those
 * off the names.
 * @param links an empty folder
 * @returns what tar gets, and `pass`, which has it get the names
 */
function fromLinks(
  folders: readonly Buffer[],
  links: string,
): Required<Pick<Command, "folders">> & { readonly input: Readable; readonly pass: (sources: ArchiveContent["sources"]) => Promise<void> } {
  const list = new FileList();
  const numbers = new Map([...new Set(folders.map((folder) => folder.toString("latin1")))].map((path, number) => [path, number]));
  for (const [path, number] of numbers) {
    const folder = Buffer.from(path, "latin1");
    symlinkSync(isHidden(path) ? openFolder(list.indexOf(folder)) : folder, join(links, String(number)));
  }
  return { input: list.input, folders: list.folders, pass: (sources) => passByLinks(list, sources, numbers) };
}

async function passByLinks(list: FileList, sources: ArchiveContent["sources"], numbers: ReadonlyMap<string, number>): Promise<void> {
  try {
    for (const { folder, names } of await sources()) {
      const number = numbers.get(folder.toString("latin1"));
      if (number === undefined) throw new Error(`${folder} is none of the archive's folders`);
      for (const name of names) list.add(name === "" ? `${number}/.` : `${number}/./${name}`);
    }
  } finally {
    list.end();
  }
}

/** Not in the targets of symlinks. */
const byLink = ["--transform=flags=rhS;s,^[0-9][0-9]*/,,"];

/** By {@link withoutUsers}. The way through an open file takes the kernel several times as long. */
function isHidden(path: ByteName): boolean {
  return path.startsWith("/etc/");
}

class FileList {
  /** For the program. */
  readonly input = new PassThrough();
  #entries = "";
  readonly #indexes = new Map<string, number>();

  /** Which of the folders that the program gets opened it is. */
  indexOf(folder: Buffer): number {
    const path = folder.toString("latin1");
    const index = this.#indexes.get(path) ?? this.#indexes.size;
    this.#indexes.set(path, index);
    return index;
  }

  switchTo(folder: Buffer): void {
    this.add(`-C${openFolder(this.indexOf(folder))}`);
  }

  add(entry: ByteName): void {
    this.#entries += `${entry}\0`;
    if (this.#entries.length >= 1 << 16) this.#pass();
  }

  get folders(): readonly Buffer[] {
    return [...this.#indexes.keys()].map((path) => Buffer.from(path, "latin1"));
  }

  end(): void {
    this.#pass();
    this.input.end();
  }

  /** In large pieces: to write each entry would take more memory and time than to make the archive. */
  #pass(): void {
    this.input.write(Buffer.from(this.#entries, "latin1"));
    this.#entries = "";
  }
}
