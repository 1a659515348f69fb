import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { NspawnError, UsageError } from "../../base/errors.js";
import { secondsSince } from "../../base/events.js";
import { settleAll } from "../../base/settle.js";
import { type Program, requirePrograms } from "../../host/programs.js";
import { type ImageMeta, metaFile, writeMeta } from "../../image/meta.js";
import { type ImageChain, resolveChain } from "../../image/resolve.js";
import { ImageStore } from "../../image/store.js";
import { flatten } from "../../layer/flatten.js";
import { makeUpper, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import { compressor } from "../../packer/compression.js";
import { createTar, type TarSource } from "../../packer/tar.js";
import type { BuildPlan } from "../../plan/build-plan.js";
import { type Compression, compressionOf } from "../../plan/image-ref.js";
import { describeStep } from "../../plan/step.js";
import { mergeSettings } from "../../settings/merge.js";
import { transportFor, type Upload } from "../../transport/transport.js";
import type { EngineContext } from "../context.js";
import { settingSource } from "../inherit.js";
import { stepFailed } from "../step-failed.js";
import { bootstrapLayer } from "./bootstrap.js";
import { copyResolvConf, primeRoot, type RunEnvironment } from "./run-step.js";
import { type StepContext, workInImage } from "./work.js";

export type BuildOptions = { readonly cache: boolean };

/** Layers of a build from the top down, all of them root folders. */
type Layers = {
  /** What this build made itself, its last step first: this becomes the image. */
  readonly own: readonly string[];
  /** What systemd-nspawn needs in the root to start, which is no part of the image. */
  readonly prime: readonly string[];
  /** The image's ancestors. */
  readonly below: readonly string[];
};

/** Builds an image as its plan says, and publishes it if the plan says so. */
export async function buildImage(context: EngineContext, plan: BuildPlan, options: BuildOptions): Promise<void> {
  requirePrograms(programsFor(plan));
  const clampTime = sourceDateEpoch();
  const { host, config, report } = context;
  const store = await ImageStore.open(config.storageRoot, host);
  const lock = await store.lock(`build ${plan.image.url}`, (other) =>
    report({ kind: "begin", text: `waiting: ${other} builds this image` }),
  );
  try {
    await store.whileTemporary(async (scratch) => {
      const chain = await resolveChain(
        { host, store, report },
        plan.parents.map(({ image, digest }) => ({ image, digest, pinned: digest !== undefined })),
      );
      const environment = await runEnvironment(plan, chain, scratch);
      const start = await startLayers(context, store, plan, chain, environment, scratch, options);
      const layers = await workSteps(context, plan, start, environment, scratch);
      if (plan.push) await push(context, plan, chain, layers, { scratch, clampTime });
    });
  } finally {
    await lock.release();
  }
}

/** All programs that the plan's work will need, looked for before any of it. */
function programsFor(plan: BuildPlan): readonly Program[] {
  const runs = plan.work.some(({ kind }) => kind === "run" || kind === "sh");
  const compression = compressionOf(plan.image);
  return [
    "setpriv",
    "unshare",
    "mount",
    "flock",
    "tar",
    "getfattr",
    ...(runs ? (["systemd-nspawn"] as const) : []),
    ...(plan.bootstrap ? (["mmdebstrap"] as const) : []),
    ...(plan.push && compression ? (["setfattr", compressor(compression)[0]] as const) : []),
  ];
}

/** Environment and working directory of commands: the script's own and what its ancestors set. */
async function runEnvironment(plan: BuildPlan, chain: ImageChain, scratch: string): Promise<RunEnvironment> {
  const settings = mergeSettings([...chain.map(settingSource).reverse(), plan.settings]);
  return { resolvConf: await copyResolvConf(scratch), settings };
}

/** What the first step stands on: ancestors, or a bootstrapped root. */
async function startLayers(
  context: EngineContext,
  store: ImageStore,
  plan: BuildPlan,
  chain: ImageChain,
  environment: RunEnvironment,
  scratch: string,
  options: BuildOptions,
): Promise<Layers> {
  const below = chain.map(({ layer }) => layer.folder);
  const own = plan.bootstrap ? [await bootstrap(context, store, plan.bootstrap, options)] : [];
  const runs = plan.work.some(({ kind }) => kind === "run" || kind === "sh");
  if (!runs || own.length + below.length === 0) return { own, prime: [], below };
  const lowers = [...own, ...below];
  const upper = await makeUpper(context.host, join(scratch, "prime"), lowers[0]);
  const overlay = await prepareOverlay(join(scratch, "prime-view"), { lowers });
  const primed = await whileMounted(context.host, overlay, (root) =>
    primeRoot(context.host, join(scratch, "prime-run"), { lowers, upper }, root, environment),
  );
  return { own, prime: primed ? [upper.folder] : [], below };
}

async function bootstrap(
  { host, report }: EngineContext,
  store: ImageStore,
  { spec, step }: NonNullable<BuildPlan["bootstrap"]>,
  options: BuildOptions,
): Promise<string> {
  const started = performance.now();
  const text = `BOOTSTRAP ${spec.distribution} ${spec.release}`;
  report({ kind: "step-begin", at: step.at, text });
  try {
    const { layer, cached } = await bootstrapLayer(host, store, spec, {
      cache: options.cache,
      onLine: (line) => report({ kind: "output", line }),
    });
    report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached });
    return layer.folder;
  } catch (error) {
    throw stepFailed(error, step.at, text);
  }
}

/** Each work step writes its own upper layer above the ones before. */
async function workSteps(
  context: EngineContext,
  plan: BuildPlan,
  start: Layers,
  environment: RunEnvironment,
  scratch: string,
): Promise<Layers> {
  let layers = start;
  for (const [index, step] of plan.work.entries()) {
    const started = performance.now();
    const text = describeStep(step, plan.folder);
    context.report({ kind: "step-begin", at: step.at, text });
    const folder = join(scratch, `step-${index + 1}`);
    // Prime lies below the image's own layers in what steps see, but a bootstrapped root has to stay below it.
    const lowers = [...layers.own.slice(0, index), ...layers.prime, ...layers.own.slice(index), ...layers.below];
    try {
      const upper = await makeUpper(context.host, folder, lowers[0]);
      const stepContext: StepContext = {
        host: context.host,
        config: context.config,
        folder,
        scriptFolder: plan.folder,
        layers: { lowers, upper },
        environment,
        report: context.report,
      };
      await workInImage(stepContext, step);
      layers = { ...layers, own: [upper.folder, ...layers.own] };
    } catch (error) {
      throw stepFailed(error, step.at, text);
    }
    context.report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached: false });
  }
  return layers;
}

async function push(
  { host, report }: EngineContext,
  plan: BuildPlan,
  chain: ImageChain,
  layers: Layers,
  { scratch, clampTime }: { readonly scratch: string; readonly clampTime: number | undefined },
): Promise<void> {
  const started = performance.now();
  const compression = compressionOf(plan.image);
  if (!compression) throw new NspawnError(`${plan.image.written} names no archive that can be written`);
  report({ kind: "begin", text: `push ${plan.image.written}` });
  const sources = await imageFiles(host, plan, chain, layers, scratch);
  const upload = await pack(host, sources, compression, { path: join(scratch, "archive"), clampTime });
  await (await transportFor(plan.image)).put(plan.image, upload);
  report({ kind: "pushed", url: plan.image.written, digest: upload.digest, bytes: upload.bytes, seconds: secondsSince(started) });
}

/** The members of the image's archive: the root folder, the metadata, then what the steps changed. */
async function imageFiles(
  host: EngineContext["host"],
  plan: BuildPlan,
  chain: ImageChain,
  layers: Layers,
  scratch: string,
): Promise<readonly TarSource[]> {
  const digests = new Map(chain.map(({ image, layer }) => [image.url, layer.digest]));
  const meta: ImageMeta = {
    url: plan.image.written,
    parents: plan.parents.map(({ image }) => ({ image, digest: digests.get(image.url) })),
    command: plan.command,
    settings: mergeSettings([plan.settings]),
    removed: plan.settings.removed,
  };
  const metaFolder = join(scratch, "meta");
  await mkdir(metaFolder);
  await writeFile(join(metaFolder, metaFile), writeMeta(meta), { mode: 0o644 });
  const own = layers.own.length > 0 ? layers.own : [(await makeUpper(host, join(scratch, "nothing"), layers.below[0])).folder];
  const overlay = await prepareOverlay(join(scratch, "below"), { lowers: layers.below });
  const [root, ...content] =
    layers.below.length === 0
      ? await flatten(host, own, { root: undefined }, join(scratch, "marks"))
      : await whileMounted(host, overlay, (below) => flatten(host, own, { root: below }, join(scratch, "marks")));
  const rootFolder = root?.folder ?? Buffer.from(metaFolder);
  const rest = [{ folder: rootFolder, names: root?.names.slice(1) ?? [] }, ...content];
  // A step may have written the metadata's file itself; ours is the one.
  const withoutMeta = rest.map(({ folder, names }) => ({
    folder,
    names: names.filter((name) => name !== metaFile && !name.startsWith(`${metaFile}/`)),
  }));
  return [{ folder: rootFolder, names: [""] }, { folder: Buffer.from(metaFolder), names: [metaFile] }, ...withoutMeta];
}

/** Writes the archive, hashed as it is written. */
async function pack(
  host: EngineContext["host"],
  sources: readonly TarSource[],
  compression: Compression,
  { path, clampTime }: { readonly path: string; readonly clampTime: number | undefined },
): Promise<Upload> {
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
    pipeline(measure, createWriteStream(path, { flags: "wx", mode: 0o644 })),
    createTar(host, sources, plain, { clampTime }),
    host.run({ argv: compressor(compression), input: plain, output: measure }),
  ]);
  return { path, bytes, digest: `sha256:${hash.digest("hex")}` };
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDateEpoch(): number | undefined {
  const value = process.env.SOURCE_DATE_EPOCH;
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  throw new UsageError(`SOURCE_DATE_EPOCH is ${JSON.stringify(value)}, not a number of seconds`);
}
