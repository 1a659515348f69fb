import { type Dirent, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";
import type { TarSource } from "../packer/tar.js";
import { copyLook } from "./attributes.js";
import { isWhiteoutDevice, lookBelow } from "./below.js";
import { isOpaque, setOpaque } from "./opaque.js";

/**
 * A member of the flattened layer: where its file lies, or, for a folder, that and whether it hides what is below. `changes`: whether it does so in the
 * result, and not in the layer, or the other way round.
 */
type Member = { readonly path: ByteName; readonly layer: string; readonly opaque: boolean; readonly changes: boolean };

/**
 * Flattens step layers into one differential layer, in the terms of overlayfs, without copying files: the result names, for
 * tar, which file to take from which layer. It stands for just what the steps changed, as seen from the image's ancestors:
 *
 * - A whiteout is kept only where an ancestor has something to hide. One that hides the file of an earlier step has done its
 *   work by then, and would hide a file that another parent of some later image has at the same place.
 * - A folder is opaque only if it replaces something of an ancestor's. The kernel marks every new folder, as an optimization
 *   (ovl_create_upper in fs/overlayfs/dir.c); and it does not mark a folder that a later step makes over the whiteout of an
 *   earlier one, where the mark is needed in the end.
 *
 * @param steps root folders of the step layers, the last step first
 * @param below root folders of the image's ancestors, from the top down
 * @param scratch an empty folder, for copies of folders whose mark has to change
 */
export function flatten(steps: readonly string[], below: readonly string[], scratch: string): readonly TarSource[] {
  const members = [...mergedMembers(steps, below)];
  copyFolders(
    members.filter(({ changes }) => changes),
    scratch,
  );
  return sources(members, scratch);
}

function* mergedMembers(steps: readonly string[], below: readonly string[]): Generator<Member> {
  const [top] = steps;
  if (top === undefined) return;
  yield { path: "", layer: top, opaque: false, changes: isOpaque(bytePath(top, "")) };
  yield* mergedContent("", steps, below);
}

/**
 * The merged content of one folder.
 * @param layers the layers whose folder of this name counts, the last step first
 * @param below the ancestors whose folder of this name shows through, from the top down
 */
function* mergedContent(folder: ByteName, layers: readonly string[], below: readonly string[]): Generator<Member> {
  for (const [name, found] of entriesOf(folder, layers)) {
    const [first] = found;
    const path = folder === "" ? name : `${folder}/${name}`;
    const { covers, folders } = lookBelow(path, below);
    if (first.entry.isDirectory()) {
      const { merged, cut, marked } = stackOf(path, found);
      const opaque = cut && covers;
      yield { path, layer: first.layer, opaque, changes: opaque !== marked };
      yield* mergedContent(path, merged, cut ? [] : folders);
    } else if (covers || !isWhiteout(first, path)) yield { path, layer: first.layer, opaque: false, changes: false };
  }
}

/** The entries of a folder by name, in the order of bytes, each with the layers that have one, the last step first. */
function entriesOf(folder: ByteName, layers: readonly string[]): readonly (readonly [ByteName, AllFound])[] {
  const byName = new Map<ByteName, [Found, ...Found[]]>();
  for (const layer of layers) {
    for (const entry of readdirSync(bytePath(layer, folder), { withFileTypes: true, encoding: "latin1" })) {
      const found = byName.get(entry.name);
      if (found) found.push({ layer, entry });
      else byName.set(entry.name, [{ layer, entry }]);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The layers whose folders merge; `cut`: below the last of them nothing shows, since it is opaque or lies on a whiteout or file; `marked`: the first one is. */
function stackOf(path: ByteName, found: AllFound): { readonly merged: readonly string[]; readonly cut: boolean; readonly marked: boolean } {
  const merged: string[] = [];
  for (const { layer, entry } of found) {
    if (!entry.isDirectory()) return { merged, cut: true, marked: false };
    merged.push(layer);
    if (isOpaque(bytePath(layer, path))) return { merged, cut: true, marked: merged.length === 1 };
  }
  return { merged, cut: false, marked: false };
}

type Found = { readonly layer: string; readonly entry: Dirent };
type AllFound = readonly [Found, ...Found[]];

function isWhiteout({ layer, entry }: Found, path: ByteName): boolean {
  return entry.isCharacterDevice() && isWhiteoutDevice(lstatSync(bytePath(layer, path)));
}

/** Copies folders without their content, so that their mark can be changed: a step layer that was taken in never is. */
function copyFolders(members: readonly Member[], scratch: string): void {
  // All of them before any gets a default ACL, which those in it would inherit.
  for (const { path } of members) mkdirSync(bytePath(scratch, path), { recursive: true });
  for (const { path, layer, opaque } of members) {
    const copy = bytePath(scratch, path);
    copyLook(bytePath(layer, path), copy);
    if (opaque) setOpaque(copy);
  }
}

/** Members in order, neighbours that lie in one folder together. */
function sources(members: readonly Member[], scratch: string): readonly TarSource[] {
  const folders = new Map<string, Buffer>();
  const result: { folder: Buffer; names: ByteName[] }[] = [];
  for (const { path, layer, changes } of members) {
    const place = changes ? scratch : layer;
    // One for all members of a layer: there may be as many as there are files.
    const folder = folders.get(place) ?? Buffer.from(place);
    folders.set(place, folder);
    const last = result.at(-1);
    if (last?.folder === folder) last.names.push(path);
    else result.push({ folder, names: [path] });
  }
  return result;
}
