import { randomBytes } from "node:crypto";
import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { mkdir, rename, unlink } from "node:fs/promises";
import { basename } from "node:path";
import { type ByteName, bytePath, showName, toBytes } from "../base/byte-path.js";
import { NspawnError } from "../base/errors.js";
import type { Host } from "../host/host.js";
import { pipeTar } from "../packer/tar.js";
import { resolveInRoot, statInRoot } from "./root-path.js";

/** `source`: a file or folder of the host; `root`: the root it is copied into; `target`: an absolute path in that root. */
export type Copy = { readonly source: string; readonly root: string; readonly target: string };

/** A folder of the source whose content goes to one folder of the root, `names` below both; in the order of creation. */
type Batch = { readonly from: ByteName; readonly to: ByteName; readonly names: ByteName[] };

/**
 * Copies a file or a folder into a root, owned by root, with mode, times, ACLs and extended attributes. A folder merges into
 * an existing one, which keeps its own mode and owner; a symlink to a folder in the root is followed, as for a process that
 * lives there, and never leads out of it.
 * @throws NspawnError where a file stands against a folder of the same name
 */
export async function copyIntoRoot(host: Host, { source, root, target }: Copy): Promise<void> {
  if (lstatSync(source).isDirectory()) await copyFolder(host, source, root, toBytes(target));
  else await copyFile(host, source, root, target);
}

async function copyFile(host: Host, source: string, root: string, target: string): Promise<void> {
  const inFolder = target.endsWith("/") || statInRoot(root, await resolveInRoot(root, toBytes(target)))?.isDirectory();
  const folder = await makeFolder(root, toBytes(inFolder ? target : target.slice(0, target.lastIndexOf("/"))));
  const name = inFolder ? basename(source) : basename(target);
  const to = textPath(root, join(folder, toBytes(name)));
  if (lstatSync(to, { throwIfNoEntry: false })?.isDirectory()) throw new NspawnError(`${target} is a folder, ${source} is a file`);
  // Beside the target and then renamed: nobody ever sees half a file. The name is by chance, so that nothing can wait under it.
  const temporary = textPath(root, join(folder, `.nspawn-${randomBytes(8).toString("hex")}`));
  try {
    await host.run({
      argv: ["cp", "--archive", "--no-preserve=ownership", "--sparse=auto", "--no-target-directory", "--", source, temporary],
    });
    await rename(temporary, to);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function copyFolder(host: Host, source: string, root: string, target: ByteName): Promise<void> {
  const isNew = !statInRoot(root, await resolveInRoot(root, target));
  const to = await makeFolder(root, target);
  const batches: Batch[] = [];
  await collect(source, root, { from: "", to, names: [] }, batches);
  for (const batch of batches) {
    if (batch.names.length === 0) continue;
    const files = { folder: bytePath(source, batch.from), names: batch.names };
    await pipeTar(host, [files], bytePath(root, batch.to), { owner: "root", folders: "keep" });
  }
  // After its content, which changes its time.
  if (isNew)
    await pipeTar(host, [{ folder: Buffer.from(source), names: [""] }], bytePath(root, to), { owner: "root", folders: "overwrite" });
}

/** Lists a source folder. Where the root has a symlink to a folder instead of a folder, a new batch starts behind the link. */
async function collect(source: string, root: string, batch: Batch, batches: Batch[]): Promise<void> {
  batches.push(batch);
  const walk = async (below: ByteName): Promise<void> => {
    for (const entry of children(source, join(batch.from, below))) {
      const path = join(below, entry.name);
      const there = statInRoot(root, join(batch.to, path));
      if (entry.isDirectory() && there?.isSymbolicLink()) {
        const to = await folderBehind(root, join(batch.to, path));
        await collect(source, root, { from: join(batch.from, path), to, names: [] }, batches);
        continue;
      }
      if (there && entry.isDirectory() !== there.isDirectory()) throw clash(join(batch.to, path), there, entry);
      batch.names.push(path);
      if (entry.isDirectory()) await walk(path);
    }
  };
  await walk("");
}

/** Where a symlink to a folder leads, inside the root. */
async function folderBehind(root: string, link: ByteName): Promise<ByteName> {
  const folder = await resolveInRoot(root, link);
  if (statInRoot(root, folder)?.isDirectory()) return folder;
  throw new NspawnError(`/${showName(link)} is a symlink that leads to no folder there, and a folder in the source`);
}

function children(source: string, folder: ByteName): readonly Dirent[] {
  const entries = readdirSync(bytePath(source, folder), { withFileTypes: true, encoding: "latin1" });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Entry = { isDirectory(): boolean };

function clash(path: ByteName, there: Entry, source: Entry): NspawnError {
  const kind = (entry: Entry): string => (entry.isDirectory() ? "a folder" : "a file");
  return new NspawnError(`/${showName(path)} is ${kind(there)} there and ${kind(source)} in the source`, {
    hint: "remove it in a RUN or SH before, or copy to another name",
  });
}

/** The folder at a path of the root, made with all its parents if it is not there. */
async function makeFolder(root: string, path: ByteName): Promise<ByteName> {
  const folder = await resolveInRoot(root, path);
  const there = statInRoot(root, folder);
  if (there && !there.isDirectory()) throw clash(folder, there, { isDirectory: () => true });
  if (there) return folder;
  for (let end = folder.indexOf("/"); end > 0; end = folder.indexOf("/", end + 1)) {
    const above = statInRoot(root, folder.slice(0, end));
    if (above && !above.isDirectory()) throw clash(folder.slice(0, end), above, { isDirectory: () => true });
  }
  await mkdir(bytePath(root, folder), { recursive: true });
  return folder;
}

/** A path that programs get as an argument, which Node passes as UTF-8. */
function textPath(root: string, path: ByteName): string {
  if (toBytes(showName(path)) !== path) throw new NspawnError(`/${showName(path)}: a symlink leads to a folder whose name is not UTF-8`);
  return bytePath(root, path).toString("utf8");
}

function join(folder: ByteName, name: ByteName): ByteName {
  return folder === "" ? name : name === "" ? folder : `${folder}/${name}`;
}
