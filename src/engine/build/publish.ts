import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf, NspawnError, UsageError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { settleAll } from "../../base/settle.js";
import type { Host } from "../../host/host.js";
import { type ImageMeta, metaFile, writeMeta } from "../../image/meta.js";
import { flatten } from "../../layer/flatten.js";
import { makeUpper, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import { compressor } from "../../packer/compression.js";
import { createTar, type TarSource } from "../../packer/tar.js";
import { type Compression, compressionOf } from "../../plan/image-ref.js";
import { mergeSettings } from "../../settings/merge.js";
import type { Upload } from "../../transport/transport.js";
import type { Build, BuildLayers } from "./build.js";

/** PUSH: flattens the build's own layers into one archive, and publishes it at the image's URL. */
export async function publish(build: Build, layers: BuildLayers): Promise<void> {
  const { host, report, plan, scratch, transports } = build;
  const started = performance.now();
  const compression = compressionOf(plan.image);
  if (!compression) throw new NspawnError(`${plan.image.written} names no archive that can be written`);
  report({ kind: "begin", text: `push ${plan.image.written}`, url: plan.image.written });
  const upload = await pack(host, await imageFiles(build, layers), compression, join(scratch, "archive"));
  await (await transports.for(plan.image)).put(plan.image, upload);
  report({ kind: "pushed", url: plan.image.written, digest: upload.digest, bytes: upload.bytes, seconds: secondsSince(started) });
}

/** The members of the image's archive: the root folder, the metadata, then what the steps changed. */
async function imageFiles(build: Build, layers: BuildLayers): Promise<readonly TarSource[]> {
  const metaFolder = join(build.scratch, "meta");
  await mkdir(metaFolder);
  await writeFile(join(metaFolder, metaFile), writeMeta(metaOf(build)), { mode: 0o644 });
  const [root, ...content] = await flattened(build, layers);
  const rootFolder = root?.folder ?? Buffer.from(metaFolder);
  const rest = [{ folder: rootFolder, names: root?.names.slice(1) ?? [] }, ...content];
  // A step may have written the metadata's file itself; ours is the one.
  const withoutMeta = rest.map(({ folder, names }) => ({
    folder,
    names: names.filter((name) => name !== metaFile && !name.startsWith(`${metaFile}/`)),
  }));
  return [{ folder: rootFolder, names: [""] }, { folder: Buffer.from(metaFolder), names: [metaFile] }, ...withoutMeta];
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
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const plain = new PassThrough({ highWaterMark: 1 << 20 });
  await settleAll<unknown>([
    pipeline(measure, createWriteStream(path, { flags: "wx", mode: 0o644 })).catch((error: unknown) => {
      throw new NspawnError(`the archive cannot be written to ${path}: ${messageOf(error)}`, { cause: error });
    }),
    createTar(host, sources, plain, { clampTime: sourceDateEpoch() }),
    host.run({ argv: compressor(compression), input: plain, output: measure }),
  ]);
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
