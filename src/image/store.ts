import { createHash } from "node:crypto";
import { access, chmod, constants, lstat, mkdir, mkdtemp, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, NspawnError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import { textOf } from "../base/utf8.js";
import type { Config } from "../config/config.js";
import { clearFolder } from "../host/clear-folder.js";
import { readIfThere, writeWhole } from "../host/files.js";
import type { Host } from "../host/host.js";
import { type Lock, takeLock } from "../host/lock.js";
import { isAlive, processName } from "../host/process-id.js";
import { hasAttributes } from "../layer/overlay.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Validators } from "../transport/transport.js";
import { type ImageMeta, maxMetaBytes, metaFile, noMeta, readMeta } from "./meta.js";

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

/** What everybody may know of a layer; its content is for root. `meta`: text of its metadata file, if there is a usable one. */
type LayerDescription = Pick<StoredLayer, "digest" | "bytes" | "root"> & { readonly meta?: string | undefined };

/** An image that is in the store. */
export type StoredImage = { readonly image: ImageRef; readonly layer: StoredLayer; readonly meta: ImageMeta };

/** Where a store lies: absolute paths. */
export type StoreFolders = Pick<Config["storage"], "root" | "extract" | "tempdir" | "runtime">;

/** What a URL last resolved to. */
export type ImageRecord = {
  readonly url: string;
  readonly digest: string;
  readonly validators: Validators;
  readonly time: string;
  /** All digests that the URL has had: only those may be taken for it without asking. */
  readonly history: readonly string[];
};

/**
 * The image store. Layers are named after their content and appear whole or not at all; records say what a URL last was.
 * ```
 * extract/<id>/         root of a layer        layer/<id>.json       what everybody may know of it
 * record/<scheme>/<host>/<port>/<path>/@.json   what a URL resolved to
 * derived/<hash of a recipe>                    the digest of the layer that was made by it
 * tempdir/<pid>-<start>-<random>/               work in progress; removed with its process
 * tempdir/kept-<random>/                        work folder of a build that is to be kept
 * lock/<name>           runtime/<machine>/      writable layers of machines
 * ```
 * The configuration may put extract, tempdir and runtime elsewhere.
 */
export class ImageStore {
  readonly #folders: StoreFolders;
  readonly #host: Host;

  private constructor(folders: StoreFolders, host: Host) {
    this.#folders = folders;
    this.#host = host;
  }

  /**
   * Opens a store, made if it is not there, and removes what dead processes have left in it.
   * @throws NspawnError if one of its folders is shared with others, or if they are on two file systems
   */
  static async open(folders: StoreFolders, host: Host): Promise<ImageStore> {
    const { root, extract, tempdir, runtime } = folders;
    const store = new ImageStore(folders, host);
    for (const folder of ["record", "lock"]) await mkdir(join(root, folder), { recursive: true });
    for (const folder of [extract, tempdir, runtime]) await makePrivate(folder, root);
    await checkFileSystem(tempdir, extract);
    await store.#sweep();
    return store;
  }

  /** A store to look into, without a change to it. What this user may not see of it counts as not there; `report` is told. */
  static async view(folders: StoreFolders, host: Host, report: Report): Promise<ImageStore> {
    try {
      await access(join(folders.root, "record"), constants.R_OK | constants.X_OK);
    } catch (error) {
      if (hasCode(error, "EACCES"))
        report({ kind: "warning", text: `the store ${folders.root} is closed to this user: what is in it is not known` });
    }
    return new ImageStore(folders, host);
  }

  get extractFolder(): string {
    return this.#folders.extract;
  }

  /** Makes a folder for work in progress, calls `use`, and removes it. If this process dies, a later one removes it. */
  async whileTemporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.#folders.tempdir, `${processName()}-`));
    try {
      return await use(folder);
    } finally {
      // What cannot be removed now is removed by the next command; it is no reason to hide why the work failed.
      await clearFolder(this.#host, folder).catch(() => undefined);
    }
  }

  /** Makes a folder for work that somebody wants to look at afterwards, and calls `use`. Nothing removes it. */
  async whileKept<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return use(await mkdtemp(join(this.#folders.tempdir, keptPrefix)));
  }

  /** Takes the lock on a thing, such as an image's URL; says through `onWait` who has it. */
  async lock(thing: string, onWait: (other: string) => void): Promise<Lock> {
    const name = createHash("sha256").update(thing).digest("hex").slice(0, 32);
    return takeLock(this.#host, join(this.#folders.root, "lock", name), `process ${process.pid} (${thing})`, onWait);
  }

  /** The layer with this digest, or undefined. */
  async layer(digest: string): Promise<StoredLayer | undefined> {
    const id = layerId(digest);
    const folder = join(this.extractFolder, id);
    const [description, there] = await Promise.all([this.#description(id), isFolder(folder)]);
    if (!description || !there) return undefined;
    if (description.digest !== digest) throw new NspawnError(`two layers share the id ${id}: ${digest} and ${description.digest}`);
    return { id, folder, digest, bytes: description.bytes, root: description.root };
  }

  async #description(id: string): Promise<LayerDescription | undefined> {
    const text = await readIfKnown(this.#descriptionPath(id));
    return text === undefined ? undefined : (JSON.parse(text) as LayerDescription);
  }

  #descriptionPath(id: string): string {
    return join(this.#folders.root, "layer", `${id}.json`);
  }

  /** Takes a folder in as a layer, by renaming it. If the layer is there already, that one is used. */
  async addLayer(folder: string, digest: string, bytes: number): Promise<StoredLayer> {
    const present = await this.layer(digest);
    if (present) return present;
    const id = layerId(digest);
    // Whoever sees the name has to see all of the content, after a power cut too.
    await this.#host.run({ argv: ["sync", "--file-system", folder] });
    const root = await rootFolder(this.#host, folder);
    const meta = await metaText(folder).catch(() => undefined);
    await writeWhole(
      this.#descriptionPath(id),
      `${JSON.stringify({ digest, bytes, root, meta } satisfies LayerDescription, undefined, 2)}\n`,
    );
    try {
      await rename(folder, join(this.extractFolder, id));
    } catch (error) {
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    }
    return { id, folder: join(this.extractFolder, id), digest, bytes, root };
  }

  /**
   * The image with this layer.
   * @throws NspawnError that names the image, if its metadata is wrong
   */
  async image(image: ImageRef, layer: StoredLayer): Promise<StoredImage> {
    const text = (await this.#description(layer.id))?.meta ?? (await metaText(layer.folder, image.written));
    return { image, layer, meta: text === undefined ? noMeta(image.written) : readMeta(text, image.written) };
  }

  async record(image: ImageRef): Promise<ImageRecord | undefined> {
    const text = await readIfKnown(this.#recordPath(image));
    const record = text === undefined ? undefined : (JSON.parse(text) as ImageRecord);
    // Two URLs may share a file, such as those that differ in "//".
    return record?.url === image.url ? record : undefined;
  }

  async setRecord(image: ImageRef, digest: string, validators: Validators): Promise<void> {
    const earlier = (await this.record(image))?.history ?? [];
    const history = [...new Set([...earlier, digest])];
    const record: ImageRecord = { url: image.url, digest, validators, time: new Date().toISOString(), history };
    await writeWhole(this.#recordPath(image), `${JSON.stringify(record, undefined, 2)}\n`);
  }

  /** The layer that was made from nothing but what `key` says, if it is still there. */
  async derived(key: string): Promise<StoredLayer | undefined> {
    const digest = await readIfKnown(this.#derivedPath(key));
    return digest === undefined ? undefined : this.layer(digest.trim());
  }

  async setDerived(key: string, digest: string): Promise<void> {
    await writeWhole(this.#derivedPath(key), `${digest}\n`);
  }

  #derivedPath(key: string): string {
    return join(this.#folders.root, "derived", createHash("sha256").update(key).digest("hex"));
  }

  /** A folder per part of the URL; "@" is encoded in a part, so that `@.json` is never one. */
  #recordPath(image: ImageRef): string {
    const url = new URL(image.url);
    const parts = [...url.pathname.split("/"), url.search].filter((part) => part !== "").map(fileName);
    const folder = join(this.#folders.root, "record", image.scheme, url.hostname || "localhost", url.port || "default", ...parts);
    return join(folder, "@.json");
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folders.tempdir)) {
      const owner = /^(\d+-\d+)-/.exec(name)?.[1];
      if (owner !== undefined && !isAlive(owner)) await clearFolder(this.#host, join(this.#folders.tempdir, name));
    }
  }
}

/** Folders of processes begin with a number. */
const keptPrefix = "kept-";

/**
 * Makes a folder that nobody but root can look into: layers hold set-uid programs and password files of machines. One that lies
 * elsewhere by configuration may be in use for something else, such as /tmp, and is not changed.
 */
async function makePrivate(folder: string, root: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if ((mode & 0o077) === 0) return;
  if (!folder.startsWith(join(root, "/"))) {
    throw new NspawnError(`${folder}, which the configuration gives to the store, is open to other users`, {
      hint: `it has to be a folder of its own: take another one, or if nothing else is in it: chmod 700 ${folder}`,
    });
  }
  await chmod(folder, 0o700);
}

/** Layers get to their place by being renamed, which no other file system can take part in. */
async function checkFileSystem(tempdir: string, extract: string): Promise<void> {
  const [from, to] = await Promise.all([stat(tempdir), stat(extract)]);
  if (from.dev === to.dev) return;
  throw new NspawnError(`storage/tempdir (${tempdir}) and storage/extract (${extract}) are on two file systems`, {
    hint: "layers are made in the one and renamed into the other: put both on one file system",
  });
}

/** The text of a file that says what the store has, or undefined: it is not there, or not for this user to see. */
async function readIfKnown(path: string): Promise<string | undefined> {
  try {
    return await readIfThere(path);
  } catch (error) {
    if (hasCode(error, "EACCES")) return undefined;
    throw error;
  }
}

/** Short name of a layer. 64 bits are enough against chance; against intent, the full digest is compared. */
function layerId(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 16);
}

/** Without rights to look, it is taken to be there. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    return hasCode(error, "EACCES");
  }
}

/** The text of a layer's metadata file, undefined if it has none. */
async function metaText(folder: string, origin = folder): Promise<string | undefined> {
  const path = join(folder, metaFile);
  const stat = await lstat(path).catch(() => undefined);
  if (!stat) return undefined;
  // A symlink would be read on this host, not in the image.
  if (!stat.isFile() || stat.size > maxMetaBytes) throw new NspawnError(`the image ${origin} has a wrong ${metaFile}: it is no small file`);
  const text = textOf(await readFile(path));
  if (text === undefined) throw new NspawnError(`the image ${origin} has a wrong ${metaFile}: it is no text in UTF-8`);
  return text;
}

async function rootFolder(host: Host, folder: string): Promise<RootFolder> {
  const [{ mode, uid, gid }, attributes] = await Promise.all([lstat(folder), hasAttributes(host, folder)]);
  return { mode: mode & 0o7777, uid, gid, attributes };
}

/** A part of a URL, which is percent-encoded ASCII, as a file name of at most 255 characters. */
function fileName(part: string): string {
  const name = part.replaceAll("@", "%40").replaceAll("/", "%2F");
  return name.length <= 200 ? name : `${name.slice(0, 150)}%${createHash("sha256").update(name).digest("hex")}`;
}
