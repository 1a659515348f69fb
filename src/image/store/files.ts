import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { builtin } from "../../base/builtin.js";
import { hasCode, hintOf, messageOf, NspawnError } from "../../base/errors.js";
import type { Report } from "../../base/events.js";
import { isAlive, processName } from "../../base/process-id.js";
import { needingRoom } from "../../host/disk-room.js";
import { readIfThere, removeFile, renameIfThere, writeWhole } from "../../host/files.js";

/** A file that was taken out of its place. */
export type FileAside = { readonly path: string; putBack(): Promise<void>; remove(): Promise<void> };

/** The small files of a store: records and descriptions. Each appears whole or not at all; one that is damaged counts as not there. */
export class StoreFiles {
  readonly #root: string;
  readonly #report: Report;
  /** What was warned of. */
  readonly #told = new Set<string>();

  constructor(root: string, report: Report) {
    this.#root = root;
    this.#report = report;
  }

  /** The text of a file, or undefined: it is not there, or not for this user to see. */
  async read(path: string): Promise<string | undefined> {
    return readIfThere(path).catch(unlessClosed);
  }

  /** What a file of JSON says, if `isValid` finds it right. One that is damaged, as by a power cut, is worth a warning, one only. */
  async readJson<T>(path: string, isValid: (value: unknown) => value is T): Promise<T | undefined> {
    const text = await this.read(path);
    if (text === undefined) return undefined;
    const value = parsed(text);
    if (isValid(value)) return value;
    this.warn(path, `${path} is damaged, and counts as not there: who needs it makes it anew, prune removes it`);
    return undefined;
  }

  /** Warns of a thing, once. */
  warn(thing: string, text: string): void {
    if (!this.#told.has(thing)) this.#report({ kind: "warning", text });
    this.#told.add(thing);
  }

  /** @throws NspawnError that names the file, as where the disk is full */
  async write(path: string, content: string): Promise<void> {
    try {
      await needingRoom(this.#root, () => this.#writeWhole(path, content));
    } catch (error) {
      throw new NspawnError(`the store cannot write ${path}: ${messageOf(error)}`, {
        cause: error,
        hint: hintOf(error),
      });
    }
  }

  /** Folders of records go when they are empty, also in between of our making them (of which Node says ENOTDIR) and using them. */
  async #writeWhole(path: string, content: string): Promise<void> {
    for (let triesLeft = 10; ; triesLeft--) {
      try {
        return await writeWhole(path, content, { temporary: this.#temporary() });
      } catch (error) {
        if (triesLeft === 0 || !hasCode(error, "ENOENT", "ENOTDIR")) throw error;
      }
    }
  }

  async writeJson(path: string, value: unknown): Promise<void> {
    await this.write(path, `${JSON.stringify(value, undefined, 2)}\n`);
  }

  /**
   * Calls `use` with the name of a new file, from which it can be renamed to its place in the store: the two are on one file system. What
   * is left there is removed.
   */
  async whileWriting<T>(use: (path: string) => Promise<T>): Promise<T> {
    const path = this.#temporary();
    await needingRoom(this.#root, async () => mkdirSync(this.#writing, { recursive: true }));
    try {
      return await use(path);
    } finally {
      await removeFile(path);
    }
  }

  /** Takes a file out of its place, so that it counts as not there. Returns where it is then, if it was there, and what puts it back, or removes it for good. */
  async setAside(path: string): Promise<FileAside> {
    const aside = this.#temporary();
    mkdirSync(this.#writing, { recursive: true });
    await renameIfThere(path, aside);
    return { path: aside, putBack: () => renameIfThere(aside, path), remove: () => removeFile(aside) };
  }

  /** Names of a folder's entries that match; none if it is not there, or not for this user to see. */
  async names(folder: string, pattern: RegExp): Promise<readonly string[]> {
    try {
      return readdirSync(folder)
        .filter((name) => pattern.test(name))
        .sort();
    } catch (error) {
      if (hasCode(error, "ENOENT", "EACCES")) return [];
      throw error;
    }
  }

  /** Removes what processes were writing when they were killed. */
  async sweep(): Promise<void> {
    for (const name of await this.names(this.#writing, /^\d+-\d+-/)) {
      const owner = /^\d+-\d+/.exec(name)?.[0] ?? "";
      if (!isAlive(owner)) await removeFile(join(this.#writing, name));
    }
  }

  get #writing(): string {
    return join(this.#root, "writing");
  }

  /** On the file system of the store's root, where all of its small files are. */
  #temporary(): string {
    return join(this.#writing, `${processName()}-${builtin("node:crypto").randomUUID()}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unlessClosed(error: unknown): undefined {
  if (!hasCode(error, "EACCES")) throw error;
}
