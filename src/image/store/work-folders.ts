import { lstat, mkdtemp, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { builtin } from "../../base/builtin.js";
import { isAlive, processName } from "../../base/process-id.js";
import { clearFolder } from "../../host/clear-folder.js";
import { needingRoom } from "../../host/disk-room.js";
import { renameIfThere } from "../../host/files.js";
import type { Host } from "../../host/host.js";
import type { StoreFiles } from "./files.js";
import { folderBytes } from "./folder-bytes.js";

/** A work folder that somebody wanted to look at; `time`: of its last change. */
export type KeptFolder = { readonly path: string; readonly time: Date };

/** Folders of processes begin with a number. */
const keptPrefix = "kept-";

/** Folders for work in progress, `<pid>-<start>-<random>`: whoever comes later sees by their names whether their process is dead. */
export class WorkFolders {
  readonly #folder: string;
  readonly #host: Host;
  readonly #files: StoreFiles;

  /** @param folder `storage/tempdir` of the configuration */
  constructor(folder: string, host: Host, files: StoreFiles) {
    this.#folder = folder;
    this.#host = host;
    this.#files = files;
  }

  /** Makes a folder, calls `use`, and removes it. If this process dies, a later one removes it. */
  async whileTemporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.#make();
    try {
      return await use(folder);
    } finally {
      // What cannot be removed now is removed by the next command; it is no reason to hide why the work failed.
      await clearFolder(this.#host, folder).catch(() => undefined);
    }
  }

  /**
   * Calls `use` with a function that takes a folder out of its place; those are removed when `use` has ended. They are renamed singly: a full
   * disk, which this makes room on, may have no inode left for a folder around them.
   */
  async whileDiscarding<T>(use: (discard: (folder: string) => Promise<void>) => Promise<T>): Promise<T> {
    const discarded: string[] = [];
    try {
      return await use(async (folder) => {
        const path = join(this.#folder, `${processName()}-${builtin("node:crypto").randomUUID()}`);
        discarded.push(path);
        await renameIfThere(folder, path);
      });
    } finally {
      for (const path of discarded) await clearFolder(this.#host, path).catch(() => undefined);
    }
  }

  /** Makes a folder for work that somebody wants to look at afterwards, and calls `use`. It stays until {@link remove}. */
  async whileKept<T>(use: (folder: string) => Promise<T>): Promise<T> {
    return use(await this.#make(keptPrefix));
  }

  async kept(): Promise<readonly KeptFolder[]> {
    const names = await this.#files.names(this.#folder, new RegExp(`^${keptPrefix}`));
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const stats = await lstat(path).catch(() => undefined);
        return stats ? [{ path, time: stats.mtime }] : [];
      }),
    );
    return found.flat();
  }

  /** Paths of what dead processes have left. */
  async dead(): Promise<readonly string[]> {
    const names = await this.#files.names(this.#folder, /^\d+-\d+-/);
    return names.filter((name) => !isAlive(/^\d+-\d+/.exec(name)?.[0] ?? "")).map((name) => join(this.#folder, name));
  }

  /** Bytes on disk of a folder of work. */
  measure(path: string): Promise<number> {
    return folderBytes(this.#host, path);
  }

  /** Removes what dead processes have left. Of several commands that come upon it at once, one does. */
  async sweep(): Promise<void> {
    const dead = await this.dead();
    if (dead.length === 0) return;
    const own = await this.#make().catch(() => undefined);
    // No new folder on a full disk: then two may be at it.
    if (own === undefined) for (const path of dead) await clearFolder(this.#host, path).catch(() => undefined);
    else {
      for (const path of dead) await rename(path, join(own, basename(path))).catch(() => undefined);
      await clearFolder(this.#host, own).catch(() => undefined);
    }
  }

  async remove(path: string): Promise<void> {
    await clearFolder(this.#host, path);
  }

  #make(prefix = `${processName()}-`): Promise<string> {
    return needingRoom(this.#folder, () => mkdtemp(join(this.#folder, prefix)));
  }
}
