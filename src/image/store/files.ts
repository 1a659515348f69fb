import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, messageOf, NspawnError } from "../../base/errors.js";
import type { Report } from "../../base/events.js";
import { isAlive, processName } from "../../base/process-id.js";
import { readIfThere, removeFile, renameIfThere, writeWhole } from "../../host/files.js";

/** The small files of a store: records and descriptions. Each appears whole or not at all; one that is damaged counts as not there. */
export class StoreFiles {
  readonly #root: string;
  readonly #report: Report;

  constructor(root: string, report: Report) {
    this.#root = root;
    this.#report = report;
  }

  /** The text of a file, or undefined: it is not there, or not for this user to see. */
  async read(path: string): Promise<string | undefined> {
    return readIfThere(path).catch(unlessClosed);
  }

  /** What a file of JSON says, if `isValid` finds it right. One that is damaged, as by a power cut, is worth a warning. */
  async readJson<T>(path: string, isValid: (value: unknown) => value is T): Promise<T | undefined> {
    const text = await this.read(path);
    if (text === undefined) return undefined;
    const value = parsed(text);
    if (isValid(value)) return value;
    this.#report({ kind: "warning", text: `${path} is damaged, and counts as not there: a pull writes it anew, prune removes it` });
    return undefined;
  }

  /** @throws NspawnError that names the file, as where the disk is full */
  async write(path: string, content: string): Promise<void> {
    try {
      await writeWhole(path, content, { temporary: this.#temporary() });
    } catch (error) {
      throw new NspawnError(`the store cannot write ${path}: ${messageOf(error)}`, {
        cause: error,
        hint: hasCode(error, "ENOSPC", "EDQUOT") ? "nspawn prune removes what nothing needs any more" : undefined,
      });
    }
  }

  async writeJson(path: string, value: unknown): Promise<void> {
    await this.write(path, `${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Takes a file out of its place, so that it counts as not there. Returns what puts it back, or removes it for good. */
  async setAside(path: string): Promise<{ putBack(): Promise<void>; remove(): Promise<void> }> {
    const aside = this.#temporary();
    await mkdir(this.#writing, { recursive: true });
    await renameIfThere(path, aside);
    return { putBack: () => renameIfThere(aside, path), remove: () => removeFile(aside) };
  }

  /** Names of a folder's entries that match; none if it is not there, or not for this user to see. */
  async names(folder: string, pattern: RegExp): Promise<readonly string[]> {
    const names = await readdir(folder).catch((error: unknown) => {
      if (hasCode(error, "ENOENT", "EACCES")) return [];
      throw error;
    });
    return names.filter((name) => pattern.test(name)).sort();
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
    return join(this.#writing, `${processName()}-${crypto.randomUUID()}`);
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
