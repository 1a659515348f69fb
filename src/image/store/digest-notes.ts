import { readFileSync, statSync, utimesSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DigestMemory, noMemory } from "../../base/digest-memory.js";
import { removeFile, statIfSeen } from "../../host/files.js";
import type { StoreFiles } from "./files.js";

/**
 * Digests by keys that are digests, too: `<folder>/<key>`, a file with nothing else in it. They only save work: one that is not there, or damaged,
 * costs time.
 */
export class DigestNotes implements DigestMemory {
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
    const digest = readDigest(join(this.#folder, key));
    if (digest !== undefined) touch(join(this.#folder, key));
    return digest;
  }

  /** What is known, for those who change nothing: not even that it was of use. A folder that this user may not read has nothing. */
  get known(): DigestMemory {
    return { ...noMemory, find: (key) => readDigest(join(this.#folder, key)) };
  }

  note(key: string, digest: string): void {
    this.#new.set(key, digest);
  }

  /** Writes what was noted. Where that cannot be, as on a full disk, what it was noted for is done all the same. */
  async save(): Promise<void> {
    try {
      for (const [key, digest] of this.#new) await this.#write(join(this.#folder, key), digest);
    } catch {
      // They are made anew when they are needed.
    }
    this.#new.clear();
  }

  /** Not synced: there may be thousands, and half of one counts as none. */
  async #write(path: string, digest: string): Promise<void> {
    await this.#files.whileWriting(async (temporary) => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(temporary, digest, { mode: 0o600 });
      await rename(temporary, path);
    });
  }

  /** Paths of notes that were of no use since then. */
  async olderThan(time: Date): Promise<readonly string[]> {
    const paths = (await this.#files.names(this.#folder, /./)).map((name) => join(this.#folder, name));
    return paths.filter((path) => (statIfSeen(path)?.mtime ?? time) < time);
  }

  /** @param path one of {@link olderThan} */
  async remove(path: string): Promise<void> {
    await removeFile(path);
  }
}

/** Whatever is wrong with a file, it says nothing then. */
function readDigest(path: string): string | undefined {
  try {
    const text = readFileSync(path, "latin1");
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** It is of use now. Not each time, since that writes. */
function touch(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs > touchedEach) utimesSync(path, new Date(), new Date());
  } catch {
    // Then it goes when it is old, and is made anew.
  }
}

/** Milliseconds: a day. */
const touchedEach = 24 * 3600 * 1000;
