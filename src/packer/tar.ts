import { PassThrough, type Readable, type Writable } from "node:stream";
import type { ByteName } from "../base/byte-path.js";
import { settleAll } from "../base/settle.js";
import type { Argv, Host } from "../host/host.js";

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

/** The format that holds everything, with nothing of the host or the moment in it. */
const format = ["--format=posix", "--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f", "--numeric-owner", "--sparse"];

/** Writes an archive to `output`: the named files of several folders, in the order given, without copying them anywhere first. */
export async function createTar(
  host: Host,
  sources: readonly TarSource[],
  output: Writable,
  options: { readonly clampTime?: number | undefined } = {},
): Promise<void> {
  // SOURCE_DATE_EPOCH: nothing in a reproducible archive is younger (https://reproducible-builds.org/specs/source-date-epoch/).
  const clamp = options.clampTime === undefined ? [] : [`--mtime=@${options.clampTime}`, "--clamp-mtime"];
  const argv: Argv = ["tar", "--create", "--file=-", ...format, ...attributes, opaqueAttribute, ...clamp, ...fromList];
  await host.run({ argv, input: listOf(sources), output });
}

/** `owner`: root's, or as they are; `folders`: whether one that exists gets the attributes of its source. */
export type PipeOptions = { readonly owner: "root" | "same"; readonly folders: "keep" | "overwrite" };

/** Copies files through tar into a folder, with all of their attributes. */
export async function pipeTar(host: Host, sources: readonly TarSource[], to: string, { owner, folders }: PipeOptions): Promise<void> {
  const between = new PassThrough({ highWaterMark: 1 << 20 });
  const owners = owner === "root" ? ["--owner=root:0", "--group=root:0"] : [];
  const keep = folders === "keep" ? ["--no-overwrite-dir"] : [];
  await settleAll([
    host.run({
      argv: ["tar", "--create", "--file=-", ...format, ...owners, ...attributes, ...fromList],
      input: listOf(sources),
      output: between,
    }),
    host.run({ argv: ["tar", "--extract", "--file=-", ...extractOptions, ...keep, `--directory=${to}`], input: between }),
  ]);
}

/** `--no-unquote` is for the name of the folder, which comes after these. */
const extractOptions = ["--no-unquote", "--numeric-owner", "--same-owner", "--same-permissions", ...attributes];

/** Extracts an archive, already decompressed or not, into a folder, everything as it was packed. */
export async function extractTar(host: Host, archive: Readable, folder: string, decompressor: string | undefined): Promise<void> {
  const program = decompressor === undefined ? [] : [`--use-compress-program=${decompressor}`];
  const argv: Argv = ["tar", "--extract", "--file=-", ...program, ...extractOptions, opaqueAttribute, `--directory=${folder}`];
  await host.run({ argv, input: archive });
}

/** tar's list of files: NUL after each entry; `-C` switches folders; `./` before each name, so that none looks like an option. */
function listOf(sources: readonly TarSource[]): Readable {
  const list = new PassThrough();
  for (const { folder, names } of sources) {
    list.write(Buffer.concat([Buffer.from('-C"'), quoted(folder), Buffer.from('"\0')]));
    for (const name of names) list.write(Buffer.from(name === "" ? "./\0" : `./${name}\0`, "latin1"));
  }
  list.end();
  return list;
}

/** Options in a list are split as a shell would: in double quotes, only `"` and the backslash are special. */
function quoted(path: Buffer): Buffer {
  return Buffer.from(path.toString("latin1").replace(/["\\]/g, "\\$&"), "latin1");
}
