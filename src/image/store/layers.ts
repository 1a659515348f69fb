import { lstat, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDigest } from "../../base/digest.js";
import { hasCode, NspawnError } from "../../base/errors.js";
import { isRecord } from "../../base/is-record.js";
import { needingRoom } from "../../host/disk-room.js";
import { removeFile } from "../../host/files.js";
import type { Host } from "../../host/host.js";
import type { Lock } from "../../host/lock.js";
import { hasAttributes } from "../../layer/attributes.js";
import { type ImageMeta, type MetaFields, metaOf, noMeta } from "../meta.js";
import { readMetaFile } from "../meta-file.js";
import type { StoreFiles } from "./files.js";
import { folderBytes } from "./folder-bytes.js";
import type { UnsyncedLayers } from "./unsynced-layers.js";

/** The root folder of a layer: its mode, owner and group, and whether it has an ACL or extended attributes. */
type RootFolder = { readonly mode: number; readonly uid: number; readonly gid: number; readonly attributes: boolean };

/** A layer that is in the store. It never changes. `id`: first 16 hexadecimal digits of the digest; `folder`: its root. */
export type StoredLayer = {
  readonly id: string;
  readonly folder: string;
  readonly digest: string;
  readonly bytes: number;
  readonly root: RootFolder;
};

/**
 * `layer/<id>.json`, what everybody may know of a layer; its content is for root. `meta`: text of its metadata file, if it has one,
 * and `fields`: what that says, since to read it takes long; `extracted`: bytes that it takes on disk; `time`: when it came in; `archive`: name of its archive's file, if that is kept.
 */
export type LayerDescription = Pick<StoredLayer, "digest" | "bytes" | "root"> & {
  readonly meta?: string | undefined;
  readonly fields?: MetaFields | undefined;
  readonly extracted?: number;
  readonly time?: string;
  readonly archive?: string | undefined;
};

/**
 * A folder that is to become a layer, with the digest and size of the archive that it came from, and that archive if it is kept. `syncsLater`: for what can be had
 * again, it may be a layer before it is on the disk, see {@link UnsyncedLayers}.
 */
export type NewLayer = Pick<StoredLayer, "folder" | "digest" | "bytes"> & {
  readonly archive?: { readonly path: string; readonly ending: string } | undefined;
  readonly syncsLater?: boolean;
};

export type LayerFolders = { readonly root: string; readonly extract: string };

/** Names of layers. */
const layerName = /^[0-9a-f]{16}$/;

/** The layers of a store, and what is known of each. Neither ever changes: they come and go whole. */
export class Layers {
  readonly #folders: LayerFolders;
  readonly #host: Host;
  readonly #files: StoreFiles;
  readonly #unsynced: UnsyncedLayers;

  constructor(folders: LayerFolders, host: Host, files: StoreFiles, unsynced: UnsyncedLayers) {
    this.#folders = folders;
    this.#host = host;
    this.#files = files;
    this.#unsynced = unsynced;
  }

  /** The layer with this digest: there are both its folder and its description. */
  async find(digest: string): Promise<StoredLayer | undefined> {
    const id = layerId(digest);
    const folder = this.#folder(id);
    const [description, there] = await Promise.all([this.description(id), isFolder(folder)]);
    if (!description || !there) return undefined;
    if (description.digest !== digest) throw new NspawnError(`two layers share the id ${id}: ${digest} and ${description.digest}`);
    return { id, folder, digest, bytes: description.bytes, root: description.root };
  }

  async description(id: string): Promise<LayerDescription | undefined> {
    if (!this.#unsynced.isLost(id)) return this.#files.readJson(this.#descriptionPath(id), isDescription);
    this.#files.warn(
      id,
      `layer ${id} may not have got to the disk, before this host went down or since that fails: it counts as not there, and is pulled anew when needed`,
    );
    return undefined;
  }

  /**
   * A layer's metadata.
   * @throws NspawnError that names its origin, if it is wrong
   */
  async meta(layer: StoredLayer, origin: string): Promise<ImageMeta> {
    const described = await this.description(layer.id);
    if (described?.meta !== undefined) return describedMeta(described, origin);
    const text = await readMetaFile(layer.folder, origin);
    return describedMeta({ meta: text }, origin);
  }

  /** Names of layers, of which there may be the description, the folder (or a mark for one), or both. What this user may not see is not among them. */
  async names(): Promise<{
    readonly described: readonly string[];
    readonly folders: readonly string[];
    readonly archives: readonly string[];
  }> {
    const [described, folders, marked, archives] = await Promise.all([
      this.#files.names(dirname(this.#descriptionPath("")), /^[0-9a-f]{16}\.json$/),
      this.#files.names(this.#folders.extract, layerName),
      this.#unsynced.all(),
      this.#files.names(this.#archivePath(""), /^[0-9a-f]{16}(\..*)?$/),
    ]);
    return { described: described.map((name) => name.slice(0, 16)), folders: [...new Set([...folders, ...marked])], archives };
  }

  /**
   * Takes a folder in as a layer, by renaming it; if the layer is there already, that one is used.
   * @param lock excludes {@link takeAway}
   * @param discard takes a folder out of its place
   */
  async add(layer: NewLayer, lock: () => Promise<Lock>, discard: (folder: string) => Promise<void>): Promise<StoredLayer> {
    const { folder, digest, bytes, archive, syncsLater = false } = layer;
    const present = await this.find(digest);
    if (present) return present;
    const id = layerId(digest);
    const [root, { meta, fields }, extracted] = await Promise.all([
      rootFolder(folder),
      describeMeta(folder, digest),
      folderBytes(this.#host, folder),
      // Whoever sees the name has to see all of the content, after a power cut too, or a mark.
      !syncsLater && this.#unsynced.syncFolder(folder),
    ]);
    const held = await lock();
    try {
      const meanwhile = await this.find(digest);
      if (meanwhile) return meanwhile;
      await this.#makeWay(id, syncsLater, discard);
      const kept = archive && (await this.#keepArchive(id, archive));
      const time = new Date().toISOString();
      await this.#files.writeJson(this.#descriptionPath(id), {
        digest,
        bytes,
        root,
        meta,
        fields,
        extracted,
        time,
        archive: kept,
      } satisfies LayerDescription);
      // A layer that is there without its description, which was damaged, is whole: it stays, since a machine may have it mounted.
      await rename(folder, this.#folder(id)).catch((error: unknown) => {
        if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
      });
    } catch (error) {
      // As on a full disk. What stands alone is no layer, and only takes room.
      if (!(await this.find(digest))) {
        await removeFile(this.#descriptionPath(id));
        if (!(await isFolder(this.#folder(id)))) await this.#unsynced.unmark(id);
        if (archive) await this.removeArchive(archiveName(id, archive));
      }
      throw error;
    } finally {
      held.release();
    }
    return { id, folder: this.#folder(id), digest, bytes, root };
  }

  /**
   * Takes layers out of the store. First they count as not there; then it is asked once more which of them are needed, and those are
   * put back: whoever has found one before then has claimed it, or has given it to a machine. The caller excludes {@link add}.
   * @param discard takes a folder out of its place
   * @param neededNow called when the layers cannot be found any more
   * @returns ids of those that are gone
   */
  async takeAway(
    ids: readonly string[],
    discard: (folder: string) => Promise<void>,
    neededNow: () => Promise<ReadonlySet<string>>,
  ): Promise<readonly string[]> {
    const hidden = await Promise.all(
      ids.map(async (id) => ({
        id,
        archive: (await this.description(id))?.archive,
        file: await this.#files.setAside(this.#descriptionPath(id)),
      })),
    );
    const needed = await neededNow().catch(async (error: unknown) => {
      await Promise.all(hidden.map(({ file }) => file.putBack()));
      throw error;
    });
    await Promise.all(hidden.filter(({ id }) => needed.has(id)).map(({ file }) => file.putBack()));
    const gone = hidden.filter(({ id }) => !needed.has(id));
    for (const { id, archive, file } of gone) {
      await this.#discard(id, discard);
      if (archive !== undefined) await this.removeArchive(archive);
      await file.remove();
    }
    return gone.map(({ id }) => id);
  }

  /** Nothing of a layer that did not get to the disk may be taken for this one; and what a folder without a mark has, is there already. */
  async #makeWay(id: string, syncsLater: boolean, discard: (folder: string) => Promise<void>): Promise<void> {
    if (this.#unsynced.isDoubtful(id)) await this.#discard(id, discard);
    if (syncsLater && !(await isFolder(this.#folder(id)))) await this.#unsynced.mark(id);
  }

  /** The mark goes last: without it, a folder counts as whole. */
  async #discard(id: string, discard: (folder: string) => Promise<void>): Promise<void> {
    await discard(this.#folder(id));
    await this.#unsynced.unmark(id);
  }

  /** Removes an archive, unless there is its layer, or its description at least. Returns whether it is gone. The caller excludes {@link add}. */
  async removeArchive(name: string): Promise<boolean> {
    if ((await this.description(name.slice(0, 16)))?.archive === name) return false;
    await removeFile(this.#archivePath(name));
    return true;
  }

  /** Bytes on disk of a layer's folder. */
  measure(id: string): Promise<number> {
    return folderBytes(this.#host, this.#folder(id));
  }

  /** Bytes on disk of an archive. */
  measureArchive(name: string): Promise<number> {
    return folderBytes(this.#host, this.#archivePath(name));
  }

  async #keepArchive(id: string, archive: NonNullable<NewLayer["archive"]>): Promise<string> {
    const name = archiveName(id, archive);
    await needingRoom(this.#folders.root, async () => {
      await mkdir(this.#archivePath(""), { recursive: true, mode: 0o700 });
      await rename(archive.path, this.#archivePath(name));
    });
    return name;
  }

  #folder(id: string): string {
    return join(this.#folders.extract, id);
  }

  #descriptionPath(id: string): string {
    return join(this.#folders.root, "layer", `${id}.json`);
  }

  #archivePath(name: string): string {
    return join(this.#folders.root, "archive", name);
  }
}

/**
 * The metadata of which a description tells.
 * @throws NspawnError that names its origin, if it is wrong
 */
export async function describedMeta({ meta, fields }: Pick<LayerDescription, "meta" | "fields">, origin: string): Promise<ImageMeta> {
  if (meta === undefined) return noMeta(origin);
  if (fields) return metaOf(fields, origin);
  const { readMeta } = await import("../meta-text.js");
  return readMeta(meta, origin);
}

async function describeMeta(folder: string, origin: string): Promise<Pick<LayerDescription, "meta" | "fields">> {
  const meta = await readMetaFile(folder);
  if (meta === undefined) return {};
  const { parseMeta } = await import("../meta-text.js");
  return { meta, fields: parseMeta(meta, origin) };
}

/** Short name of a layer. 64 bits are enough against chance; against intent, the full digest is compared. */
export function layerId(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 16);
}

function archiveName(id: string, { ending }: NonNullable<NewLayer["archive"]>): string {
  return `${id}${ending}`;
}

function isDescription(value: unknown): value is LayerDescription {
  return (
    isRecord(value) &&
    isDigest(value.digest) &&
    typeof value.bytes === "number" &&
    isRecord(value.root) &&
    typeof value.root.mode === "number" &&
    typeof value.root.uid === "number" &&
    typeof value.root.gid === "number" &&
    (value.meta === undefined || typeof value.meta === "string") &&
    (value.fields === undefined || isRecord(value.fields))
  );
}

/** Without rights to look, it is taken to be there. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    return hasCode(error, "EACCES");
  }
}

async function rootFolder(folder: string): Promise<RootFolder> {
  const { mode, uid, gid } = await lstat(folder);
  return { mode: mode & 0o7777, uid, gid, attributes: hasAttributes(folder) };
}
