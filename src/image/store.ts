import { accessSync, chmodSync, constants, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { hasCode, NspawnError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import { sha256 } from "../base/sha256.js";
import type { Config } from "../config/config.js";
import { needingRoom } from "../host/disk-room.js";
import type { Host } from "../host/host.js";
import { type Lock, lockHolder, removeFreeLocks, takeLock } from "../host/lock.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Validators } from "../transport/transport.js";
import type { ImageMeta } from "./meta.js";
import { BuildNotes } from "./store/build-notes.js";
import { type Claim, Claims } from "./store/claims.js";
import { DerivedLayers } from "./store/derived.js";
import { StoreFiles } from "./store/files.js";
import { Layers, layerId, type NewLayer, type StoredLayer } from "./store/layers.js";
import { type ImageRecord, Records } from "./store/records.js";
import { type CachedStep, StepLayers, type StepLeftovers } from "./store/step-layers.js";
import { UnsyncedLayers } from "./store/unsynced-layers.js";
import { WorkFolders } from "./store/work-folders.js";

export type { StoredLayer } from "./store/layers.js";
export type { ImageRecord } from "./store/records.js";

/** An image that is in the store. */
export type StoredImage = { readonly image: ImageRef; readonly layer: StoredLayer; readonly meta: ImageMeta };

/** Where a store lies: absolute paths. */
export type StoreFolders = Pick<Config["storage"], "root" | "extract" | "tempdir" | "runtime" | "keepArchives">;

/**
 * The image store. Layers are named after their content and appear whole or not at all; records say what a URL last was.
 * ```
 * extract/<id>/         root of a layer        layer/<id>.json       what everybody may know of it
 * extract/<id>.unsynced the boot that it came in, as long as it may not be on the disk; then .synced or .refused
 * record/<scheme>/<host>/<port>/<path>/@.json   what a URL resolved to
 * archive/<id>.<ending>                         the layer's archive, with storage/keep_archives
 * derived/<hash of a recipe>                    the digest of the layer that was made by it
 * extract/step/<id>/    root of a layer that a step of a build has made        step/<key>.json   what it was made from
 * note/<kind>/          what the last build of a URL was made from, what was published there, what FETCH got there, what templates became
 * use/<pid>-<start>-<random>/<id>               layers that a running process uses
 * tempdir/<pid>-<start>-<random>/               work in progress; removed with its process
 * tempdir/kept-<random>/                        work folder of a build that is to be kept
 * writing/<pid>-<start>-<random>                a record or description, before it is renamed to its place
 * lock/<name>           runtime/<machine>/      writable layers of machines
 * ```
 * The configuration may put extract, tempdir and runtime elsewhere.
 */
export class ImageStore {
  readonly #folders: StoreFolders;
  readonly #host: Host;
  readonly #files: StoreFiles;
  readonly #claims: Claims;
  readonly layers: Layers;
  readonly unsynced: UnsyncedLayers;
  readonly records: Records;
  readonly derivedLayers: DerivedLayers;
  readonly steps: StepLayers;
  readonly notes: BuildNotes;
  readonly workFolders: WorkFolders;
  /** A store to look into changes nothing, and so claims nothing. */
  readonly #isView: boolean;

  private constructor(folders: StoreFolders, host: Host, files: StoreFiles, isView: boolean) {
    this.#folders = folders;
    this.#host = host;
    this.#files = files;
    this.#isView = isView;
    this.#claims = new Claims(folders.root, files);
    this.unsynced = new UnsyncedLayers(folders, host, files);
    this.layers = new Layers(folders, host, files, this.unsynced);
    this.records = new Records(folders.root, files);
    this.derivedLayers = new DerivedLayers(folders.root, files);
    this.steps = new StepLayers(folders, files, this.#claims, this.unsynced);
    this.notes = new BuildNotes(this.#noteFolder, files);
    this.workFolders = new WorkFolders(folders.tempdir, host, files);
  }

  /**
   * Opens a store, made if it is not there, and removes what dead processes have left in it. Whoever opens it closes it.
   * @throws NspawnError if one of its folders is shared with others, or if they are on two file systems
   */
  static async open(folders: StoreFolders, host: Host, report: Report): Promise<ImageStore> {
    const { root, extract, tempdir, runtime } = folders;
    const files = new StoreFiles(root, report);
    const store = new ImageStore(folders, host, files, false);
    await needingRoom(root, async () => mkdirSync(join(root, "record"), { recursive: true }));
    // Locks too: flock(2) asks for no more than the right to read, so that anybody could hold them.
    for (const folder of [extract, tempdir, runtime, store.#lockFolder, store.#noteFolder])
      await needingRoom(folder, () => makePrivate(folder, root));
    checkFileSystem(tempdir, extract);
    await Promise.all([store.workFolders.sweep(), store.#claims.sweep(), files.sweep()]);
    return store;
  }

  /** A store to look into, without a change to it. What this user may not see of it counts as not there; `report` is told. */
  static async view(folders: StoreFolders, host: Host, report: Report): Promise<ImageStore> {
    try {
      accessSync(join(folders.root, "record"), constants.R_OK | constants.X_OK);
    } catch (error) {
      if (hasCode(error, "EACCES"))
        report({ kind: "warning", text: `the store ${folders.root} is closed to this user: what is in it is not known` });
    }
    return new ImageStore(folders, host, new StoreFiles(folders.root, report), true);
  }

  /** From now on the layers that were found are not kept for this process any more. What has come in, the disk takes afterwards. */
  async close(): Promise<void> {
    await this.#claims.release();
    // If it does not begin now, it does when the next one closes.
    await this.unsynced.syncLater().catch(() => undefined);
  }

  /**
   * Calls `use` with the name of a new file for the archive of a layer, on the file system that archives are kept on; undefined if they are
   * not. What is left there is removed.
   */
  async whileArchiving<T>(use: (path: string | undefined) => Promise<T>): Promise<T> {
    return this.#folders.keepArchives ? this.#files.whileWriting(use) : use(undefined);
  }

  get extractFolder(): string {
    return this.#folders.extract;
  }

  /** Makes a folder for work in progress, calls `use`, and removes it. If this process dies, a later one removes it. */
  whileTemporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return this.workFolders.whileTemporary(use);
  }

  /** Makes a folder for work that somebody wants to look at afterwards, and calls `use`. */
  whileKept<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return this.workFolders.whileKept(use);
  }

  /** Takes the lock on a thing, such as an image's URL; says through `onWait` who has it. */
  async lock(thing: string, onWait: (other: string) => void): Promise<Lock> {
    return this.#takeLock(this.#lockPath(thing), thing, onWait);
  }

  /** Who has the lock on a thing now, undefined if nobody has. */
  lockHolder(thing: string): Promise<string | undefined> {
    return lockHolder(this.#lockPath(thing));
  }

  /** The layer with this digest, or undefined. It stays in the store as long as this process has the store open. */
  async layer(digest: string): Promise<StoredLayer | undefined> {
    if (!this.#isView) await this.#claims.claim(layerId(digest));
    return this.layers.find(digest);
  }

  /** Takes a folder in as a layer, by renaming it. If the layer is there already, that one is used. It stays, as one that was found. */
  async addLayer(layer: NewLayer): Promise<StoredLayer> {
    await this.#claims.claim(layerId(layer.digest));
    return this.workFolders.whileDiscarding((discard) =>
      needingRoom(this.#folders.extract, () => this.layers.add(layer, () => this.#lockLayers(), discard)),
    );
  }

  /**
   * Takes layers out of the store, but for those that are needed after all.
   * @param neededNow tells them, when none of these layers can be found any more
   * @returns ids of those that are gone
   */
  async removeLayers(ids: readonly string[], neededNow: () => Promise<ReadonlySet<string>>): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    return this.workFolders.whileDiscarding(async (discard) => {
      const lock = await this.#lockLayers();
      try {
        return await this.layers.takeAway(ids, discard, neededNow);
      } finally {
        lock.release();
      }
    });
  }

  /** Takes steps out of the cache, but for those that another build uses. Returns those that are gone. */
  async removeSteps(steps: readonly CachedStep[]): Promise<readonly CachedStep[]> {
    if (steps.length === 0) return [];
    return this.workFolders.whileDiscarding((discard) => this.steps.removeCached(steps, discard));
  }

  /** Removes what {@link StepLayers.survey} has found. */
  async removeStepLeftovers({ folders, descriptions }: StepLeftovers): Promise<void> {
    await this.workFolders.whileDiscarding(async (discard) => {
      for (const folder of folders) await discard(folder);
    });
    await this.steps.removeDamaged(descriptions);
  }

  /** Removes an archive, unless there is its layer. Returns whether it is gone. */
  async removeArchive(name: string): Promise<boolean> {
    const lock = await this.#lockLayers();
    try {
      return await this.layers.removeArchive(name);
    } finally {
      lock.release();
    }
  }

  /** Layers that other running processes use. */
  claims(): Promise<readonly Claim[]> {
    return this.#claims.ofOthers();
  }

  /** Removes the files of locks that nobody holds. Returns how many. */
  removeLocks(): Promise<number> {
    return removeFreeLocks(this.#lockFolder);
  }

  /**
   * The image with this layer.
   * @throws NspawnError that names the image, if its metadata is wrong
   */
  async image(image: ImageRef, layer: StoredLayer): Promise<StoredImage> {
    return { image, layer, meta: await this.layers.meta(layer, image.written) };
  }

  record(image: ImageRef): Promise<ImageRecord | undefined> {
    return this.records.find(image);
  }

  setRecord(image: ImageRef, digest: string, validators: Validators): Promise<void> {
    return this.records.set(image, digest, validators);
  }

  /** The layer that was made from nothing but what `recipe` says, if it is still there. */
  async derived(recipe: string): Promise<StoredLayer | undefined> {
    const digest = await this.derivedLayers.find(recipe);
    return digest === undefined ? undefined : this.layer(digest);
  }

  setDerived(recipe: string, digest: string): Promise<void> {
    return this.derivedLayers.set(recipe, digest);
  }

  /** Excludes that layers come while others go. Held for a moment only, on their folder: a full disk may have no inode left for a file. */
  #lockLayers(): Promise<Lock> {
    return this.#takeLock(this.#folders.extract, "layers", () => undefined);
  }

  #takeLock(path: string, thing: string, onWait: (other: string) => void): Promise<Lock> {
    return needingRoom(this.#lockFolder, () => takeLock(this.#host, path, `process ${process.pid} (${thing})`, onWait));
  }

  #lockPath(thing: string): string {
    return join(this.#lockFolder, sha256(thing).slice(0, 32));
  }

  get #noteFolder(): string {
    return join(this.#folders.root, "note");
  }

  get #lockFolder(): string {
    return join(this.#folders.root, "lock");
  }
}

/**
 * Makes a folder that nobody but root can look into: layers hold set-uid programs and password files of machines. One that lies
 * elsewhere by configuration may be in use for something else, such as /tmp, and is not changed. The owner of one
 * could put other files in the place of ours.
 */
async function makePrivate(folder: string, root: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(folder);
  const isOwn = uid === process.getuid?.();
  if (isOwn && (mode & 0o077) === 0) return;
  if (!isOwn || !folder.startsWith(join(root, "/"))) {
    throw new NspawnError(`${folder}, which the configuration gives to the store, ${isOwn ? "is open" : "belongs"} to other users`, {
      hint: `it has to be a folder of its own: take another one, or if nothing else is in it: ${isOwn ? "chmod 700" : "chown root"} ${folder}`,
    });
  }
  chmodSync(folder, 0o700);
}

/** Layers get to their place by being renamed, which no other file system can take part in. */
function checkFileSystem(tempdir: string, extract: string): void {
  const [from, to] = [statSync(tempdir), statSync(extract)];
  if (from.dev === to.dev) return;
  throw new NspawnError(`storage/tempdir (${tempdir}) and storage/extract (${extract}) are on two file systems`, {
    hint: "layers are made in the one and renamed into the other: put both on one file system",
  });
}
