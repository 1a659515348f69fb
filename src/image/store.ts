import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, NspawnError } from "../base/errors.js";
import { clearFolder } from "../host/clear-folder.js";
import { readIfThere, writeWhole } from "../host/files.js";
import type { Host } from "../host/host.js";
import { type Lock, takeLock } from "../host/lock.js";
import { isAlive, processName } from "../host/process-id.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Validators } from "../transport/transport.js";
import { type ImageMeta, maxMetaBytes, metaFile, readMeta } from "./meta.js";

/** A layer that is in the store. It never changes. `id`: first 16 hexadecimal digits of the digest; `folder`: its root. */
export type StoredLayer = { readonly id: string; readonly folder: string; readonly digest: string; readonly bytes: number };

/** An image that is in the store. */
export type StoredImage = { readonly image: ImageRef; readonly layer: StoredLayer; readonly meta: ImageMeta };

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
 * extract/<id>/         root of a layer        extract/<id>.json     its full digest and size
 * record/<scheme>/<host>/<port>/<path>/@.json   what a URL resolved to
 * derived/<hash of a recipe>                    the digest of the layer that was made by it
 * tempdir/<pid>-<start>-<random>/               work in progress; removed with its process
 * lock/<name>           runtime/<machine>/      writable layers of machines
 * ```
 */
export class ImageStore {
  readonly root: string;
  readonly #host: Host;

  private constructor(root: string, host: Host) {
    this.root = root;
    this.#host = host;
  }

  /** Opens a store, made if it is not there, and removes what dead processes have left in it. */
  static async open(root: string, host: Host): Promise<ImageStore> {
    const store = new ImageStore(root, host);
    await mkdir(root, { recursive: true });
    for (const folder of ["extract", "record", "tempdir", "runtime", "lock"]) await mkdir(join(root, folder), { recursive: true });
    // Layers hold set-uid programs and password files of machines: nothing for users of the host.
    for (const folder of ["extract", "tempdir", "runtime"]) await chmod(join(root, folder), 0o700);
    await store.#sweep();
    return store;
  }

  get extractFolder(): string {
    return join(this.root, "extract");
  }

  /** Makes a folder for work in progress, calls `use`, and removes it. If this process dies, a later one removes it. */
  async whileTemporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(this.root, "tempdir", `${processName()}-`));
    try {
      return await use(folder);
    } finally {
      // What cannot be removed now is removed by the next command; it is no reason to hide why the work failed.
      await clearFolder(this.#host, folder).catch(() => undefined);
    }
  }

  /** Takes the lock on a thing, such as an image's URL; says through `onWait` who has it. */
  async lock(thing: string, onWait: (other: string) => void): Promise<Lock> {
    const name = createHash("sha256").update(thing).digest("hex").slice(0, 32);
    return takeLock(this.#host, join(this.root, "lock", name), `process ${process.pid} (${thing})`, onWait);
  }

  /** The layer with this digest, or undefined. */
  async layer(digest: string): Promise<StoredLayer | undefined> {
    const id = layerId(digest);
    const folder = join(this.extractFolder, id);
    const [text, there] = await Promise.all([readIfThere(`${folder}.json`), isFolder(folder)]);
    if (text === undefined || !there) return undefined;
    const description = JSON.parse(text) as { digest: string; bytes: number };
    if (description.digest !== digest) throw new NspawnError(`two layers share the id ${id}: ${digest} and ${description.digest}`);
    return { id, folder, digest, bytes: description.bytes };
  }

  /** Takes a folder in as a layer, by renaming it. If the layer is there already, that one is used. */
  async addLayer(folder: string, digest: string, bytes: number): Promise<StoredLayer> {
    const present = await this.layer(digest);
    if (present) return present;
    const id = layerId(digest);
    // Whoever sees the name has to see all of the content, after a power cut too.
    await this.#host.run({ argv: ["sync", "--file-system", folder] });
    await writeWhole(join(this.extractFolder, `${id}.json`), `${JSON.stringify({ digest, bytes })}\n`);
    try {
      await rename(folder, join(this.extractFolder, id));
    } catch (error) {
      if (!hasCode(error, "ENOTEMPTY", "EEXIST")) throw error;
    }
    return { id, folder: join(this.extractFolder, id), digest, bytes };
  }

  /** The image with this layer, its metadata read from the layer. */
  async image(image: ImageRef, layer: StoredLayer): Promise<StoredImage> {
    const text = await this.#metaText(layer.folder, image.written);
    const meta =
      text === undefined
        ? { url: image.written, parents: [], command: undefined, settings: [], removed: [] }
        : readMeta(text, image.written);
    return { image, layer, meta };
  }

  async record(image: ImageRef): Promise<ImageRecord | undefined> {
    const text = await readIfThere(this.#recordPath(image));
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
    const digest = await readIfThere(this.#derivedPath(key));
    return digest === undefined ? undefined : this.layer(digest.trim());
  }

  async setDerived(key: string, digest: string): Promise<void> {
    await writeWhole(this.#derivedPath(key), `${digest}\n`);
  }

  #derivedPath(key: string): string {
    return join(this.root, "derived", createHash("sha256").update(key).digest("hex"));
  }

  /** A folder per part of the URL; "@" is encoded in a part, so that `@.json` is never one. */
  #recordPath(image: ImageRef): string {
    const url = new URL(image.url);
    const parts = [...url.pathname.split("/"), url.search].filter((part) => part !== "").map(fileName);
    const folder = join(this.root, "record", image.scheme, url.hostname || "localhost", url.port || "default", ...parts);
    return join(folder, "@.json");
  }

  async #metaText(folder: string, origin: string): Promise<string | undefined> {
    const path = join(folder, metaFile);
    const stat = await lstat(path).catch(() => undefined);
    if (!stat) return undefined;
    // A symlink would be read on this host, not in the image.
    if (!stat.isFile() || stat.size > maxMetaBytes)
      throw new NspawnError(`the image ${origin} has a wrong ${metaFile}: it is no small file`);
    return readFile(path, "utf8");
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(join(this.root, "tempdir"))) {
      const owner = /^\d+-\d+/.exec(name)?.[0];
      if (owner === undefined || !isAlive(owner)) await clearFolder(this.#host, join(this.root, "tempdir", name));
    }
  }
}

/** Short name of a layer. 64 bits are enough against chance; against intent, the full digest is compared. */
function layerId(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 16);
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** A part of a URL, which is percent-encoded ASCII, as a file name of at most 255 characters. */
function fileName(part: string): string {
  const name = part.replaceAll("@", "%40").replaceAll("/", "%2F");
  return name.length <= 200 ? name : `${name.slice(0, 150)}%${createHash("sha256").update(name).digest("hex")}`;
}
