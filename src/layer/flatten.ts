import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";
import type { Host } from "../host/host.js";
import { pipeTar, type TarSource } from "../packer/tar.js";
import { type OpaqueFolders, opaqueFolders, setOpaque } from "./opaque.js";
import { statInRoot } from "./root-path.js";

/**
 * What an overlay shows below the steps of a build: `root` is where the image's ancestors are mounted, undefined without any; `marks`: the
 * opaque folders of the steps, if they were looked for already.
 */
export type Below = { readonly root: string | undefined; readonly marks?: Promise<OpaqueFolders> };

/** A member of the flattened layer: where its file lies, or, for a folder, that and whether it hides what is below. */
type Member = { readonly path: ByteName; readonly layer: string; readonly folder: boolean; readonly opaque: boolean };

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
 * @param scratch an empty folder on the same file system, for copies of folders whose mark has to change
 */
export async function flatten(host: Host, steps: readonly string[], below: Below, scratch: string): Promise<readonly TarSource[]> {
  const marks = await (below.marks ?? opaqueFolders(host, steps));
  const members = new Merge(below, marks).members(steps);
  const changed = members.filter(({ folder, layer, path, opaque }) => folder && opaque !== (marks.get(layer)?.has(path) ?? false));
  await copyFolders(host, changed, scratch);
  const copied = new Set(changed);
  return sources(members, (member) => (copied.has(member) ? scratch : member.layer));
}

class Merge {
  readonly #members: Member[] = [];
  readonly #below: Below;
  readonly #marks: OpaqueFolders;

  constructor(below: Below, marks: OpaqueFolders) {
    this.#below = below;
    this.#marks = marks;
  }

  members(steps: readonly string[]): readonly Member[] {
    const [top] = steps;
    if (top === undefined) return [];
    this.#members.push({ path: "", layer: top, folder: true, opaque: false });
    this.#addContent("", steps, true);
    return this.#members;
  }

  /**
   * The merged content of one folder.
   * @param layers the layers whose folder of this name counts, the last step first
   * @param open whether the content that ancestors have in this folder shows through
   */
  #addContent(folder: ByteName, layers: readonly string[], open: boolean): void {
    for (const [name, found] of this.#entries(folder, layers)) this.#addEntry(folder === "" ? name : `${folder}/${name}`, found, open);
  }

  #addEntry(path: ByteName, found: readonly Found[], open: boolean): void {
    const [first] = found;
    if (!first) return;
    const covers = open && this.#below.root !== undefined && statInRoot(this.#below.root, path) !== undefined;
    if (first.entry.isDirectory()) {
      const { merged, cut } = this.#stack(path, found);
      this.#members.push({ path, layer: first.layer, folder: true, opaque: cut && covers });
      this.#addContent(path, merged, open && !cut);
    } else if (covers || !isWhiteout(first, path)) {
      this.#members.push({ path, layer: first.layer, folder: false, opaque: false });
    }
  }

  /** The entries of a folder by name, in the order of bytes, each with the layers that have one, the last step first. */
  #entries(folder: ByteName, layers: readonly string[]): readonly (readonly [ByteName, readonly Found[]])[] {
    const byName = new Map<ByteName, Found[]>();
    for (const layer of layers) {
      for (const entry of readdirSync(bytePath(layer, folder), { withFileTypes: true, encoding: "latin1" })) {
        const found = byName.get(entry.name);
        if (found) found.push({ layer, entry });
        else byName.set(entry.name, [{ layer, entry }]);
      }
    }
    return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The layers whose folders merge; `cut`: below the last of them nothing shows, since it is opaque or lies on a whiteout or file. */
  #stack(path: ByteName, found: readonly Found[]): { readonly merged: readonly string[]; readonly cut: boolean } {
    const merged: string[] = [];
    for (const candidate of found) {
      if (!candidate.entry.isDirectory()) return { merged, cut: true };
      merged.push(candidate.layer);
      if (this.#marks.get(candidate.layer)?.has(path)) return { merged, cut: true };
    }
    return { merged, cut: false };
  }
}

type Found = { readonly layer: string; readonly entry: Dirent };

/** Overlayfs marks a deleted file by a character device 0:0 (Documentation/filesystems/overlayfs.rst). */
function isWhiteout({ layer, entry }: Found, path: ByteName): boolean {
  return entry.isCharacterDevice() && lstatSync(bytePath(layer, path)).rdev === 0;
}

/** Copies folders without their content, so that their mark can be changed: the step layers themselves never are. */
async function copyFolders(host: Host, members: readonly Member[], scratch: string): Promise<void> {
  if (members.length === 0) return;
  await pipeTar(
    host,
    sources(members, (member) => member.layer),
    scratch,
    { owner: "same", folders: "overwrite" },
  );
  await setOpaque(
    host,
    scratch,
    members.filter(({ opaque }) => opaque).map(({ path }) => path),
  );
}

/** Members in order, neighbours that lie in one folder together. */
function sources(members: readonly Member[], folderOf: (member: Member) => string): readonly TarSource[] {
  const folders = new Map<string, Buffer>();
  const result: { folder: Buffer; names: ByteName[] }[] = [];
  for (const member of members) {
    const path = folderOf(member);
    // One for all members of a layer: there may be as many as there are files.
    const folder = folders.get(path) ?? Buffer.from(path);
    folders.set(path, folder);
    const last = result.at(-1);
    if (last?.folder === folder) last.names.push(member.path);
    else result.push({ folder, names: [member.path] });
  }
  return result;
}
