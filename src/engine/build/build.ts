import { join } from "node:path";
import { secondsSince } from "../../base/events.js";
import { type Program, requirePrograms } from "../../host/programs.js";
import { inheritSettings } from "../../image/inherit.js";
import { type ImageChain, resolveChain } from "../../image/resolve.js";
import { ImageStore } from "../../image/store.js";
import { makeUpper, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import { compressor } from "../../packer/compression.js";
import type { BuildPlan } from "../../plan/build-plan.js";
import { compressionOf } from "../../plan/image-ref.js";
import { describeStep } from "../../plan/step.js";
import { proxyVariables } from "../../transport/proxy.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext, SetupContext } from "../context.js";
import { stepFailed } from "../step-failed.js";
import { bootstrapLayer } from "./bootstrap.js";
import { publish, sourceDateEpoch } from "./publish.js";
import { copyResolvConf, primeRoot, type RunEnvironment } from "./run-step.js";
import { workInImage } from "./work.js";

export type BuildOptions = { readonly cache: boolean };

/** A build at work: its ancestors are in the store, `scratch` is its own folder, removed in the end. */
export type Build = SetupContext & {
  readonly plan: BuildPlan;
  readonly options: BuildOptions;
  readonly chain: ImageChain;
  readonly scratch: string;
};

/** Layers of a build from the top down, all of them root folders. */
export type BuildLayers = {
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
  sourceDateEpoch();
  const { host, config, report } = context;
  const store = await ImageStore.open(config.storage, host, report);
  const onWait = (other: string): void => report({ kind: "begin", text: `waiting: ${other} builds this image` });
  const lock = await store.lock(`build ${plan.image.url}`, onWait);
  try {
    await whileWorking(store, context, async (scratch) => {
      const transports = new Transports(config, process.env, report, host.interrupted);
      const parents = plan.parents.map(({ image, digest, at }) => ({ image, digest, pinned: digest !== undefined, at }));
      const chain = await resolveChain({ host, config, store, transports, report }, parents);
      const build: Build = { ...context, store, transports, plan, options, chain, scratch };
      const environment = await runEnvironment(build);
      const start = await startLayers(build, environment);
      const layers = await workSteps(build, start, environment);
      if (plan.push) await publish(build, layers);
    });
  } finally {
    await lock.release();
    await store.close();
  }
}

/** The build's work folder, removed in the end unless `build/preserve_build_dir` is set. */
async function whileWorking(store: ImageStore, { config, report }: EngineContext, work: (scratch: string) => Promise<void>): Promise<void> {
  if (!config.build.preserveBuildDir) return store.whileTemporary(work);
  return store.whileKept(async (scratch) => {
    report({ kind: "begin", text: `the work folder of this build is kept: ${scratch}` });
    await work(scratch);
  });
}

/** All programs that the plan's work will need, looked for before any of it. */
function programsFor(plan: BuildPlan): readonly Program[] {
  const compression = compressionOf(plan.image);
  return [
    "setpriv",
    "unshare",
    "mount",
    "flock",
    "tar",
    "getfattr",
    ...(runsCommands(plan) ? (["systemd-nspawn"] as const) : []),
    ...(plan.bootstrap ? (["mmdebstrap"] as const) : []),
    ...(plan.push && compression ? (["setfattr", compressor(compression)[0]] as const) : []),
  ];
}

/** Environment and working directory of commands: the script's own, what its ancestors set, and proxies by configuration. */
async function runEnvironment({ transports, plan, chain, scratch }: Build): Promise<RunEnvironment> {
  const settings = inheritSettings(chain, plan.settings);
  const proxies = runsCommands(plan) ? proxyVariables(await transports.machineProxies()) : {};
  return { resolvConf: await copyResolvConf(scratch), settings, variables: withoutSet(proxies, settings) };
}

/** Variables besides those that the settings set, in whatever case: programs look for `http_proxy` as for `HTTP_PROXY`. */
function withoutSet(variables: RunEnvironment["variables"], settings: RunEnvironment["settings"]): RunEnvironment["variables"] {
  const set = new Set(settings.flatMap(({ name, value }) => (name === "Environment" ? [value.split("=", 1)[0]?.toLowerCase()] : [])));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !set.has(name.toLowerCase())));
}

/** What the first step stands on: ancestors, or a bootstrapped root. */
async function startLayers(build: Build, environment: RunEnvironment): Promise<BuildLayers> {
  const { host, plan, chain, scratch } = build;
  const below = chain.map(({ layer }) => layer.folder);
  const own = plan.bootstrap ? [await bootstrap(build, plan.bootstrap)] : [];
  const lowers = [...own, ...below];
  if (!runsCommands(plan) || lowers.length === 0) return { own, prime: [], below };
  const upper = await makeUpper(host, join(scratch, "prime"), lowers[0]);
  const overlay = await prepareOverlay(join(scratch, "prime-view"), { lowers });
  const primed = await whileMounted(host, overlay, (root) =>
    primeRoot(host, join(scratch, "prime-run"), { lowers, upper }, root, environment),
  );
  return { own, prime: primed ? [upper.folder] : [], below };
}

async function bootstrap(
  { host, config, report, store, transports, options }: Build,
  { spec, step }: NonNullable<BuildPlan["bootstrap"]>,
): Promise<string> {
  const started = performance.now();
  const text = `BOOTSTRAP ${spec.distribution} ${spec.release}`;
  report({ kind: "step-begin", at: step.at, text });
  try {
    const onLine = (line: string): void => report({ kind: "output", line });
    const variables = async (): Promise<Readonly<Record<string, string>>> => proxyVariables(await transports.hostProxies());
    const { layer, cached } = await bootstrapLayer(host, store, spec, { cache: options.cache, limits: config.storage, variables, onLine });
    report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached });
    return layer.folder;
  } catch (error) {
    throw stepFailed(error, step.at, text);
  }
}

/** Each work step writes its own upper layer above the ones before. */
async function workSteps(build: Build, start: BuildLayers, environment: RunEnvironment): Promise<BuildLayers> {
  const { host, config, transports, report, plan, scratch } = build;
  let layers = start;
  for (const [index, step] of plan.work.entries()) {
    const started = performance.now();
    const text = describeStep(step, plan.folder);
    report({ kind: "step-begin", at: step.at, text });
    const folder = join(scratch, `step-${index + 1}`);
    // What steps see: their own layers, then prime, then a bootstrapped root or the ancestors.
    const lowers = [...layers.own.slice(0, index), ...layers.prime, ...layers.own.slice(index), ...layers.below];
    try {
      const upper = await makeUpper(host, folder, lowers[0]);
      await workInImage(
        { host, config, transports, report, folder, scriptFolder: plan.folder, layers: { lowers, upper }, environment },
        step,
      );
      layers = { ...layers, own: [upper.folder, ...layers.own] };
    } catch (error) {
      throw stepFailed(error, step.at, text);
    }
    report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached: false });
  }
  return layers;
}

function runsCommands(plan: BuildPlan): boolean {
  return plan.work.some(({ kind }) => kind === "run" || kind === "sh");
}
