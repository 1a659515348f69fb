import { readdirSync } from "node:fs";
import { mkdir, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ByteName, bytePath, showName, toBytes } from "../../base/byte-path.js";
import { NspawnError } from "../../base/errors.js";
import { nearest } from "../../base/nearest.js";
import { resolveInRoot, statInRoot } from "../../layer/root-path.js";

/** `path`: a file, folder or symlink by the name it was asked for; `devices`: paths in the archive that are left out of it. */
export type Taken = { readonly path: string; readonly devices: readonly string[] };

/**
 * Takes a file or folder out of the folder that an archive was extracted to. A symlink that leads to something in the archive stands for
 * that; one that does not is taken as it is. Device nodes are left out: an image has none, and one of them (0:0) would delete a file.
 * @param source path in the archive, `/` for all of it
 * @param to `origin`: the archive, for errors; `folder`: a new folder that it is moved to
 * @throws NspawnError that lists what there is instead
 */
export async function takeOut(root: string, source: string, to: { readonly origin: string; readonly folder: string }): Promise<Taken> {
  const found = await find(root, toBytes(source.slice(1)));
  if (found === undefined) throw await notThere(root, source, to.origin);
  if (isDevice(root, found)) throw new NspawnError(`${to.origin}: ${source} is a device node, which an image cannot have`);
  const devices = devicesBelow(root, found);
  for (const name of devices) await unlink(bytePath(root, name));
  const taken = { devices: devices.map((name) => `/${showName(name)}`) };
  if (source === "/") return { ...taken, path: root };
  await mkdir(to.folder);
  const path = join(to.folder, basename(source));
  await rename(bytePath(root, found), path);
  return { ...taken, path };
}

/** Where a path leads inside the root; the path itself if it is a symlink that leads nowhere there. */
async function find(root: string, path: ByteName): Promise<ByteName | undefined> {
  const behind = await resolveInRoot(root, path);
  if (statInRoot(root, behind)) return behind;
  const end = path.lastIndexOf("/");
  const folder = await resolveInRoot(root, path.slice(0, Math.max(0, end)));
  const link = below(folder, path.slice(end + 1));
  return statInRoot(root, link) ? link : undefined;
}

async function notThere(root: string, source: string, origin: string): Promise<NspawnError> {
  const parts = toBytes(source.slice(1)).split("/");
  let folder: ByteName = "";
  let depth = 0;
  for (const part of parts) {
    const next = await resolveInRoot(root, below(folder, part));
    if (!statInRoot(root, next)?.isDirectory()) break;
    folder = next;
    depth++;
  }
  const written = parts.slice(0, depth).join("/");
  const names = namesIn(root, folder);
  const where = depth === 0 ? "at its top are" : `/${showName(written)} has`;
  const hint = await similar(root, parts, depth, names);
  return new NspawnError(`${origin} has no ${source}: ${where} ${listOf(names.map(showName))}`, {
    hint: hint && `did you mean ${JSON.stringify(`/${showName(hint)}`)}?`,
  });
}

/** A path that may have been meant: the same one below a folder at the top, as in most archives of software; or a name that is alike. */
async function similar(root: string, parts: readonly ByteName[], depth: number, names: readonly ByteName[]): Promise<ByteName | undefined> {
  for (const name of depth === 0 ? names : []) {
    const path = [name, ...parts].join("/");
    if ((await find(root, path)) !== undefined) return path;
  }
  const near = nearest(parts[depth] ?? "", names);
  return near === undefined ? undefined : [...parts.slice(0, depth), near].join("/");
}

const maxListed = 20;

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "no files";
  return names.length > maxListed ? `${names.slice(0, maxListed).join(", ")} and ${names.length - maxListed} more` : names.join(", ");
}

function namesIn(root: string, folder: ByteName): readonly ByteName[] {
  return readdirSync(bytePath(root, folder), { encoding: "latin1" }).sort();
}

function devicesBelow(root: string, folder: ByteName): readonly ByteName[] {
  if (!statInRoot(root, folder)?.isDirectory()) return [];
  return readdirSync(bytePath(root, folder), { withFileTypes: true, encoding: "latin1" }).flatMap((entry) => {
    const path = below(folder, entry.name);
    return entry.isDirectory() ? devicesBelow(root, path) : entry.isCharacterDevice() || entry.isBlockDevice() ? [path] : [];
  });
}

function isDevice(root: string, path: ByteName): boolean {
  const stats = statInRoot(root, path);
  return stats !== undefined && (stats.isCharacterDevice() || stats.isBlockDevice());
}

function below(folder: ByteName, name: ByteName): ByteName {
  return folder === "" ? name : name === "" ? folder : `${folder}/${name}`;
}
