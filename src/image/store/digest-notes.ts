import { readFileSync, statSync, utimesSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, NspawnError } from "../../base/errors.js";
import { removeFile } from "../../host/files.js";
import type { Renderings } from "../../plan/renderings.js";
import type { StoreFiles } from "./files.js";

/**
 * Digests by keys that are digests, too: `<folder>/<key>`, a file with nothing else in it. They only save work: one that is not there, or damaged,
 * costs time.
 */
export class DigestNotes implements Renderings {
  readonly #folder: string;
  readonly #files: StoreFiles;
  readonly #new = new Map<string, string>();

  /** @param folder a folder of their own */
  constructor(folder: string, files: StoreFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  find(key: string): string | undefined {
    const noted = this.#new.get(key);
    if (noted !== undefined) return noted;
    const path = join(this.#folder, key);
    try {
      const digest = readFileSync(path, "latin1");
      if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
      // Of use now. Not each time, since it writes.
      if (Date.now() - statSync(path).mtimeMs > touchedEach) utimesSync(path, new Date(), new Date());
      return digest;
    } catch (error) {
      if (hasCode(error, "ENOENT", "EACCES", "EROFS")) return undefined;
      throw error;
    }
  }

  note(key: string, digest: string): void {
    this.#new.set(key, digest);
  }

  /** Writes what was noted. Where that cannot be, as on a full disk, what it was noted for is done all the same. */
  async save(): Promise<void> {
    try {
      for (const [key, digest] of this.#new) await this.#files.write(join(this.#folder, key), digest);
    } catch (error) {
      if (!(error instanceof NspawnError)) throw error;
    }
    this.#new.clear();
  }

  /** Paths of notes that were of no use since then, or damaged ones. */
  async olderThan(time: Date): Promise<readonly string[]> {
    const paths = (await this.#files.names(this.#folder, /./)).map((name) => join(this.#folder, name));
    const stats = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
    return paths.filter((_, index) => (stats[index]?.mtime ?? time) < time);
  }

  /** @param path one of {@link olderThan} */
  async remove(path: string): Promise<void> {
    await removeFile(path);
  }
}

/** Milliseconds: a day. */
const touchedEach = 24 * 3600 * 1000;
