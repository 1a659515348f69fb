import { createHash } from "node:crypto";
import { utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NspawnError, UsageError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { needingRoom } from "../../host/disk-room.js";
import type { Host } from "../../host/host.js";
import { type ImageMeta, metaFile } from "../../image/meta.js";
import { flatten } from "../../layer/flatten.js";
import { makeUpper, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import { compressor } from "../../packer/compression.js";
import { createArchive, type TarSource } from "../../packer/tar.js";
import { type Compression, compressionOf } from "../../plan/image-ref.js";
import { mergeSettings } from "../../settings/merge.js";
import type { Upload } from "../../transport/transport.js";
import type { Build } from "./build.js";
import { Published } from "./published.js";
import { type BuildLayers, imageKey, type Stack } from "./stack.js";

/**
 * PUSH: flattens the build's own layers into one archive, and publishes it at the image's URL, unless that has this very image already.
 * @param made the layers, which may have come from the cache
 * @param whole the same, after a look at them
 */
export async function publish(build: Build, made: Stack, whole: () => Promise<Stack>): Promise<void> {
  const { host, report, plan, scratch, transports, options } = build;
  const started = performance.now();
  const compression = compressionOf(plan.image);
  if (!compression) throw new NspawnError(`${plan.image.written} names no archive that can be written`);
  const transport = await transports.for(plan.image);
  const published = new Published(build.store, transport, plan.image);
  const keyOf = ({ identity }: Stack): string => imageKey(identity, JSON.stringify(metaOf(build)), [compression, sourceDateEpoch()]);
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
  const upload = await pack(host, await imageFiles(build, stack.layers), compression, join(scratch, "archive"));
  if (there?.digest !== upload.digest) await transport.put(plan.image, upload);
  await published.note(keyOf(stack), upload);
  tell(upload, there?.digest === upload.digest);
}

/** The members of the image's archive: the root folder, the metadata, then what the steps changed. */
async function imageFiles(build: Build, layers: BuildLayers): Promise<readonly TarSource[]> {
  const [root, ...content] = await flattened(build, layers);
  // Another folder like it, since each build would leave its own time in that one.
  const { folder: top } = await makeUpper(build.host, join(build.scratch, "top"), root?.folder.toString());
  const { writeMeta } = await import("../../image/meta-text.js");
  await writeFile(join(top, metaFile), writeMeta(metaOf(build)), { mode: 0o644 });
  for (const path of [join(top, metaFile), top]) await utimes(path, 0, 0);
  const rest = [...(root ? [{ folder: root.folder, names: root.names.slice(1) }] : []), ...content];
  // A step may have written the metadata's file itself; ours is the one.
  const withoutMeta = rest.map(({ folder, names }) => ({
    folder,
    names: names.filter((name) => name !== metaFile && !name.startsWith(`${metaFile}/`)),
  }));
  return [{ folder: Buffer.from(top), names: ["", metaFile] }, ...withoutMeta];
}

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

/** The build's own layers as one, seen from the ancestors; an image without any step has an empty one. */
async function flattened({ host, scratch }: Build, { own, below }: BuildLayers): Promise<readonly TarSource[]> {
  const steps = own.length > 0 ? own : [(await makeUpper(host, join(scratch, "nothing"), below[0])).folder];
  const marks = join(scratch, "marks");
  if (below.length === 0) return flatten(host, steps, { root: undefined }, marks);
  const overlay = await prepareOverlay(join(scratch, "below"), { lowers: below });
  return whileMounted(host, overlay, (root) => flatten(host, steps, { root }, marks));
}

/** Writes the archive, hashed as it is written. */
async function pack(host: Host, sources: readonly TarSource[], compression: Compression, path: string): Promise<Upload> {
  const hash = createHash("sha256");
  let bytes = 0;
  const onBytes = (chunk: Buffer): void => {
    hash.update(chunk);
    bytes += chunk.length;
  };
  await needingRoom(dirname(path), () =>
    createArchive(host, sources, compressor(compression), path, onBytes, { clampTime: sourceDateEpoch() }),
  );
  return { path, bytes, digest: `sha256:${hash.digest("hex")}` };
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
