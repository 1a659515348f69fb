import { readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDigest } from "../../base/digest.js";
import { hasCode } from "../../base/errors.js";
import { isRecord } from "../../base/is-record.js";
import { sha256 } from "../../base/sha256.js";
import { removeFile } from "../../host/files.js";
import type { ImageRef } from "../../plan/image-ref.js";
import type { Validators } from "../../transport/transport.js";
import type { StoreFiles } from "./files.js";

/** What a URL last resolved to. */
export type ImageRecord = {
  readonly url: string;
  readonly digest: string;
  readonly validators: Validators;
  readonly time: string;
  /** All digests that the URL has had: only those may be taken for it without asking. */
  readonly history: readonly string[];
};

/** The records of a store, one for each URL: `record/<scheme>/<host>/<port>/<path>/@.json`. */
export class Records {
  readonly #folder: string;
  readonly #files: StoreFiles;

  /** @param root folder of the store */
  constructor(root: string, files: StoreFiles) {
    this.#folder = join(root, "record");
    this.#files = files;
  }

  async find(image: ImageRef): Promise<ImageRecord | undefined> {
    const record = await this.#files.readJson(this.#path(image), isImageRecord);
    // Two URLs may share a file, such as those that differ in "//".
    return record?.url === image.url ? record : undefined;
  }

  async set(image: ImageRef, digest: string, validators: Validators): Promise<void> {
    const earlier = (await this.find(image))?.history ?? [];
    const history = [...new Set([...earlier, digest])];
    const record: ImageRecord = { url: image.url, digest, validators, time: new Date().toISOString(), history };
    await this.#files.writeJson(this.#path(image), record);
  }

  /** The URL has never had `digest`, as far as this store knows: it stands for an earlier version, until the next pull looks anew. */
  async retract(image: ImageRef, digest: string, earlier: string): Promise<void> {
    const record = await this.find(image);
    if (record?.digest !== digest) return;
    const history = record.history.filter((other) => other !== digest);
    await this.#files.writeJson(this.#path(image), { ...record, digest: earlier, validators: {}, history });
  }

  async remove(image: ImageRef): Promise<void> {
    await this.discard(this.#path(image));
  }

  /** Removes the file of a record, such as a damaged one, and the folders above it that are empty then. */
  async discard(path: string): Promise<void> {
    await removeFile(path);
    for (let folder = dirname(path); folder !== this.#folder; folder = dirname(folder)) {
      const isGone = await rmdir(folder).then(
        () => true,
        (error: unknown) => {
          // Somebody else removes them too, or has put a record there.
          if (!hasCode(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
          return hasCode(error, "ENOENT");
        },
      );
      if (!isGone) return;
    }
  }

  /** All records in the order of their URLs, and the paths of files that are damaged. */
  async all(): Promise<{ readonly records: readonly ImageRecord[]; readonly damaged: readonly string[] }> {
    const paths = await recordPaths(this.#folder);
    const found = await Promise.all(paths.map(async (path) => ({ path, record: await this.#files.readJson(path, isImageRecord) })));
    const records = found.flatMap(({ record }) => record ?? []);
    return {
      records: records.sort((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0)),
      damaged: found.flatMap(({ path, record }) => (record ? [] : [path])),
    };
  }

  /** A folder per part of the URL; "@" is encoded in a part, so that `@.json` is never one. */
  #path(image: ImageRef): string {
    const url = new URL(image.url);
    const parts = [...url.pathname.split("/"), url.search].filter((part) => part !== "").map(fileName);
    return join(this.#folder, image.scheme, url.hostname || "localhost", url.port || "default", ...parts, recordFile);
  }
}

const recordFile = "@.json";

/** Folders that this user may not see have none, nor have those that somebody removes meanwhile, which are empty. */
async function recordPaths(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, "ENOENT", "EACCES")) return [];
    throw error;
  });
  const paths = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return recordPaths(path);
      return entry.isFile() && entry.name === recordFile ? [path] : [];
    }),
  );
  return paths.flat();
}

function isImageRecord(value: unknown): value is ImageRecord {
  return (
    isRecord(value) &&
    typeof value.url === "string" &&
    isDigest(value.digest) &&
    typeof value.time === "string" &&
    isRecord(value.validators) &&
    Object.values(value.validators).every((validator) => typeof validator === "string") &&
    Array.isArray(value.history) &&
    value.history.every(isDigest)
  );
}

/** A part of a URL, which is percent-encoded ASCII, as a file name of at most 255 characters. */
function fileName(part: string): string {
  const name = part.replaceAll("@", "%40").replaceAll("/", "%2F");
  return name.length <= 200 ? name : `${name.slice(0, 150)}%${sha256(name)}`;
}
