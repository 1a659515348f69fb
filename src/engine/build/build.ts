import { isDeepStrictEqual } from "node:util";
import { type DigestMemory, noMemory } from "../../base/digest-memory.js";
import type { Config } from "../../config/config.js";
import { needingRoom } from "../../host/disk-room.js";
import type { Lock } from "../../host/lock.js";
import { type Program, requirePrograms } from "../../host/programs.js";
import { inheritSettings } from "../../image/inherit.js";
import { type ImageChain, resolveChain } from "../../image/resolve.js";
import { ImageStore } from "../../image/store.js";
import { compressor } from "../../packer/compression.js";
import { type BuildPlan, checkPlannedCasts } from "../../plan/build-plan.js";
import { isRendered } from "../../plan/cast.js";
import { compressionOf } from "../../plan/image-ref.js";
import { warmUp } from "../../template/template.js";
import { proxyVariables } from "../../transport/proxy.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext, SetupContext } from "../context.js";
import { Caching } from "./caching.js";
import { Push, sourceDateEpoch } from "./publish.js";
import { copyResolvConf, type RunEnvironment } from "./run-step.js";
import { startBuild, withPrime } from "./start.js";
import { Steps } from "./steps.js";
import { tidySteps } from "./tidy.js";

/**
 * `cache`: whether steps are taken from the cache; `force`: whether an image is published that its URL has already; `keepFailed`: whether the
 * root of a step that fails is kept, to look at.
 */
export type BuildOptions = { readonly cache: boolean; readonly force?: boolean; readonly keepFailed?: boolean };

/** A build at work: its ancestors are in the store, `scratch` is its own folder, removed in the end. */
export type Build = SetupContext & {
  readonly plan: BuildPlan;
  readonly options: BuildOptions;
  readonly chain: ImageChain;
  readonly caching: Caching;
  readonly renderings: DigestMemory;
  readonly scratch: string;
};

/**
 * Builds an image as its plan says, and publishes it if the plan says so. What the last builds have left of the same is not done again. Its CASTs are
 * checked before anything is done.
 */
export async function buildImage(context: EngineContext, plan: BuildPlan, options: BuildOptions): Promise<void> {
  requirePrograms(programsFor(plan));
  sourceDateEpoch();
  const { host, config, report } = context;
  const store = await ImageStore.open(config.storage, host, report);
  const onWait = (other: string): void => report({ kind: "begin", text: `waiting: ${other} builds this image` });
  const locking = store.lock(`build ${plan.image.url}`, onWait);
  const renderings = options.cache ? store.notes.renders : noMemory;
  const lock = await whenRight(locking, checkPlan(plan, renderings));
  const caching = new Caching(store, report, cacheUse(config, options));
  try {
    await whileWorking(store, context, async (scratch) => {
      const transports = new Transports(config, process.env, report, host.interrupted);
      const parents = plan.parents.map(({ image, digest, at }) => ({ image, digest, pinned: digest !== undefined, at }));
      const chain = await resolveChain({ host, config, store, transports, report }, parents);
      await work({ ...context, store, transports, plan, options, chain, caching, renderings, scratch });
      await store.notes.renders.save();
    });
    const survey = await caching.survey();
    if (survey) await tidySteps(store, config.build, survey);
  } finally {
    await caching.settled();
    lock.release();
    await store.close();
  }
}

/** A lock, once the check succeeds that is done while it is waited for. Should that fail, nobody has to wait for the lock. */
async function whenRight(locking: Promise<Lock>, check: Promise<void>): Promise<Lock> {
  try {
    return (await Promise.all([locking, check]))[0];
  } catch (error) {
    locking.then(
      (lock) => lock.release(),
      () => undefined,
    );
    throw error;
  }
}

async function checkPlan(plan: BuildPlan, renderings: DigestMemory): Promise<void> {
  if (!plan.work.some((step) => step.kind === "cast" && !isRendered(step, plan.folder, renderings))) return;
  await warmUp();
  checkPlannedCasts(plan, renderings);
}

/** Whether steps are taken from the cache, and put there. A work folder that is kept has the layers of all steps. */
function cacheUse({ build }: Pick<Config, "build">, { cache }: BuildOptions): { readonly looks: boolean; readonly keeps: boolean } {
  const isOn = build.cacheSize > 0 && !build.preserveBuildDir;
  return { looks: isOn && cache, keeps: isOn };
}

async function work(build: Build): Promise<void> {
  const { plan, store } = build;
  const environment = await runEnvironment(build);
  const [last, begun] = await Promise.all([store.notes.builds.find(plan.image.url), startBuild(build)]);
  const stack = runsCommands(plan) ? await withPrime(build, begun.stack, environment) : begun.stack;
  const push = plan.push ? new Push(build) : undefined;
  const steps = new Steps(build, { ...begun, stack }, environment, { last, whileWorking: () => push?.prepare() });
  try {
    const made = await steps.finish();
    // While programs are at work.
    build.caching.survey().catch(() => undefined);
    await push?.publish(made, () => steps.finishWhole());
  } finally {
    await steps.end();
  }
  if (isDeepStrictEqual({ url: plan.image.url, ...steps.note }, last)) await store.notes.builds.touch(plan.image.url);
  else await store.notes.builds.set({ url: plan.image.url, ...steps.note });
}

/** The build's work folder, removed in the end unless `build/preserve_build_dir` is set. */
async function whileWorking(store: ImageStore, { config, report }: EngineContext, work: (scratch: string) => Promise<void>): Promise<void> {
  const workIn = (scratch: string): Promise<void> => needingRoom(config.storage.tempdir, () => work(scratch));
  if (!config.build.preserveBuildDir) return store.whileTemporary(workIn);
  return store.whileKept(async (scratch) => {
    report({ kind: "begin", text: `the work folder of this build is kept: ${scratch}` });
    await workIn(scratch);
  });
}

/** All programs that the plan's work will need, looked for before any of it. */
function programsFor(plan: BuildPlan): readonly Program[] {
  const compression = compressionOf(plan.image);
  return [
    "setpriv",
    "unshare",
    "mount",
    "tar",
    ...(runsCommands(plan) ? (["systemd-nspawn"] as const) : []),
    ...(plan.bootstrap ? (["mmdebstrap"] as const) : []),
    ...(plan.push && compression ? [compressor(compression)[0]] : []),
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

function runsCommands(plan: BuildPlan): boolean {
  return plan.work.some(({ kind }) => kind === "run" || kind === "sh");
}
