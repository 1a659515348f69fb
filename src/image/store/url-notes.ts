import { utimesSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../base/is-record.js";
import { sha256 } from "../../base/sha256.js";
import { attempt, removeFile, statIfSeen } from "../../host/files.js";
import type { StoreFiles } from "./files.js";

/** What is noted of one URL. */
export type Note<T> = T & { readonly url: string };

/** Notes of one kind, one for each URL: `<folder>/<hash of the URL>.json`. They only save work: one that is not there costs time. */
export class UrlNotes<T extends object> {
  readonly #folder: string;
  readonly #files: StoreFiles;
  readonly #isValid: (value: Readonly<Record<string, unknown>>) => boolean;

  /**
   * @param folder a folder of its own
   * @param isValid whether a record that was read is a `T`
   */
  constructor(folder: string, files: StoreFiles, isValid: (value: Readonly<Record<string, unknown>>) => boolean) {
    this.#folder = folder;
    this.#files = files;
    this.#isValid = isValid;
  }

  async find(url: string): Promise<Note<T> | undefined> {
    const note = await this.#files.readJson(this.#path(url), (value): value is Note<T> => this.#isNote(value));
    return note?.url === url ? note : undefined;
  }

  async set(note: Note<T>): Promise<void> {
    await this.#files.writeJson(this.#path(note.url), note);
  }

  /** The note was of use now. */
  async touch(url: string): Promise<void> {
    const now = new Date();
    attempt(() => utimesSync(this.#path(url), now, now));
  }

  /** Paths of notes that were of no use since then. */
  async olderThan(time: Date): Promise<readonly string[]> {
    const names = await this.#files.names(this.#folder, /\.json$/);
    const paths = names.map((name) => join(this.#folder, name));
    return paths.filter((path) => (statIfSeen(path)?.mtime ?? time) < time);
  }

  /** @param path one of {@link olderThan} */
  async remove(path: string): Promise<void> {
    await removeFile(path);
  }

  #isNote(value: unknown): value is Note<T> {
    return isRecord(value) && typeof value.url === "string" && this.#isValid(value);
  }

  #path(url: string): string {
    return join(this.#folder, `${sha256(url).slice(0, 32)}.json`);
  }
}
