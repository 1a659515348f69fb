import { createHash } from "node:crypto";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NspawnError, UsageError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { needingRoom } from "../../host/disk-room.js";
import { type ImageMeta, metaFile } from "../../image/meta.js";
import { flatten } from "../../layer/flatten.js";
import { makeUpper } from "../../layer/overlay.js";
import { compressor } from "../../packer/compression.js";
import { createArchive, type TarSource } from "../../packer/tar.js";
import { type Compression, compressionOf } from "../../plan/image-ref.js";
import { mergeSettings } from "../../settings/merge.js";
import type { Upload } from "../../transport/transport.js";
import type { Build } from "./build.js";
import { Published } from "./published.js";
import { type BuildLayers, imageKey, type Stack } from "./stack.js";

/** PUSH: flattens a build's own layers into one archive, and publishes it at the image's URL, unless that has this very image already. */
export class Push {
  readonly #build: Build;
  #metadata: Promise<string> | undefined;

  constructor(build: Build) {
    this.#build = build;
  }

  /** Does what no step is needed for. To be called while a program is at work: it takes some 30 ms. */
  prepare(): void {
    this.#meta().catch(() => undefined);
  }

  /**
   * @param made the layers, which may have come from the cache
   * @param whole the same, after a look at them
   */
  async publish(made: Stack, whole: () => Promise<Stack>): Promise<void> {
    const { report, plan, scratch, store, transports, options } = this.#build;
    const started = performance.now();
    const compression = compressionOf(plan.image);
    if (!compression) throw new NspawnError(`${plan.image.written} names no archive that can be written`);
    const transport = await transports.for(plan.image);
    const published = new Published(store, transport, plan.image);
    const keyOf = ({ identity }: Stack): string =>
      imageKey(identity, JSON.stringify(metaOf(this.#build)), [compression, sourceDateEpoch()]);
    const there = options.force ? undefined : await published.now();
    const tell = ({ digest, bytes }: Pick<Upload, "digest" | "bytes">, unchanged: boolean): void => {
      report({ kind: "pushed", url: plan.image.written, digest, bytes, seconds: secondsSince(started), unchanged });
    };
    if (there?.key === keyOf(made)) {
      await published.touch();
      return tell(there, true);
    }
    report({ kind: "begin", text: `push ${plan.image.written}`, url: plan.image.written });
    const stack = await whole();
    const upload = await this.#pack(stack.layers, compression, join(scratch, "archive"));
    if (there?.digest !== upload.digest) await transport.put(plan.image, upload);
    await published.note(keyOf(stack), upload);
    tell(upload, there?.digest === upload.digest);
  }

  /** Writes the archive, hashed as it is written. */
  async #pack(layers: BuildLayers, compression: Compression, path: string): Promise<Upload> {
    const { host, scratch } = this.#build;
    // An image without any step has an empty layer.
    const own = layers.own.length > 0 ? layers.own : [makeUpper(join(scratch, "nothing"), layers.below[0]).folder];
    const folders: PushFolders = { marks: join(scratch, "marks"), top: join(scratch, "top/upper") };
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
    const hash = createHash("sha256");
    let bytes = 0;
    const onBytes = (chunk: Buffer): void => {
      hash.update(chunk);
      bytes += chunk.length;
    };
    await needingRoom(dirname(path), async () => {
      const sources = (): Promise<readonly TarSource[]> => this.#files({ ...layers, own }, folders);
      const content = { folders: [...own, folders.marks, folders.top].map((folder) => Buffer.from(folder)), sources };
      await createArchive(host, content, (bytes) => compressor(compression, bytes), path, onBytes, { clampTime: sourceDateEpoch() });
    });
    return { path, bytes, digest: `sha256:${hash.digest("hex")}` };
  }

  /** The members of the image's archive: the root folder, the metadata, then what the steps changed. */
  async #files(layers: BuildLayers, { marks, top }: PushFolders): Promise<readonly TarSource[]> {
    await this.#writeTop(layers, top);
    const [root, ...content] = flatten(layers.own, layers.below, marks);
    const rest = [...(root ? [{ folder: root.folder, names: root.names.slice(1) }] : []), ...content];
    // A step may have written the metadata's file itself; ours is the one.
    const withoutMeta = rest.map(({ folder, names }) => ({
      folder,
      names: names.filter((name) => name !== metaFile && !name.startsWith(`${metaFile}/`)),
    }));
    return [{ folder: Buffer.from(top), names: ["", metaFile] }, ...withoutMeta];
  }

  /** A root folder like that of the last step, and the metadata in it: with another time in that one itself, each build would give another image. */
  async #writeTop({ own }: BuildLayers, top: string): Promise<void> {
    makeUpper(dirname(top), own[0]);
    writeFileSync(join(top, metaFile), await this.#meta(), { mode: 0o644 });
    for (const path of [join(top, metaFile), top]) utimesSync(path, 0, 0);
  }

  #meta(): Promise<string> {
    this.#metadata ??= import("../../image/meta-text.js").then(({ writeMeta }) => writeMeta(metaOf(this.#build)));
    return this.#metadata;
  }
}

/** Folders of a push: copies of folders whose mark changes, and the root folder with the metadata. */
type PushFolders = { readonly marks: string; readonly top: string };

function metaOf({ plan, chain }: Build): ImageMeta {
  const digests = new Map(chain.map(({ image, layer }) => [image.url, layer.digest]));
  return {
    url: plan.image.written,
    parents: plan.parents.map(({ image }) => ({ image, digest: digests.get(image.url) })),
    command: plan.command,
    settings: mergeSettings([plan.settings]),
    removed: plan.settings.removed,
  };
}

/**
 * The time that nothing in the archive may be younger than, in seconds (https://reproducible-builds.org/specs/source-date-epoch/).
 * @throws UsageError
 */
export function sourceDateEpoch(): number | undefined {
  const value = process.env.SOURCE_DATE_EPOCH;
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  throw new UsageError(`SOURCE_DATE_EPOCH is ${JSON.stringify(value)}, not a number of seconds`);
}
