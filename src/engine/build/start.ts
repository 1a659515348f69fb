import { join } from "node:path";
import { secondsSince } from "../../base/events.js";
import { needingRoom } from "../../host/disk-room.js";
import { makeUpper, prepareOverlay, whileMounted } from "../../layer/overlay.js";
import type { BuildPlan } from "../../plan/build-plan.js";
import { proxyVariables } from "../../transport/proxy.js";
import { stepFailed } from "../step-failed.js";
import { bootstrapLayer } from "./bootstrap.js";
import type { Build } from "./build.js";
import { primeRoot, type RunEnvironment } from "./run-step.js";
import { baseIdentity, lowersOf, type Stack, stepKey, withStep } from "./stack.js";

/** What the first step stands on, and digests of that by names for people. */
export type Start = { readonly stack: Stack; readonly base: Readonly<Record<string, string>> };

/** Makes or finds what lies below the steps: ancestors, or a bootstrapped root. */
export async function startBuild(build: Build): Promise<Start> {
  const { plan, chain } = build;
  const below = chain.map(({ layer }) => layer.folder);
  const digests = chain.map(({ image, layer }) => [image.url, layer.digest] as const);
  if (!plan.bootstrap) {
    const stack = { layers: { own: [], prime: [], below }, bottom: 0, identity: baseIdentity(digests.map(([, digest]) => digest)) };
    return { stack, base: Object.fromEntries(digests) };
  }
  const { folder, digest } = await bootstrap(build, plan.bootstrap);
  const stack = { layers: { own: [folder], prime: [], below }, bottom: 1, identity: baseIdentity([digest]) };
  return { stack, base: { BOOTSTRAP: digest } };
}

async function bootstrap(
  { host, config, report, store, transports, options }: Build,
  { spec, step }: NonNullable<BuildPlan["bootstrap"]>,
): Promise<{ readonly folder: string; readonly digest: string }> {
  const started = performance.now();
  const text = `BOOTSTRAP ${spec.distribution} ${spec.release}`;
  report({ kind: "step-begin", at: step.at, text });
  try {
    const onLine = (line: string): void => report({ kind: "output", line });
    const variables = async (): Promise<Readonly<Record<string, string>>> => proxyVariables(await transports.hostProxies());
    const { layer, cached } = await needingRoom(config.storage.tempdir, () =>
      bootstrapLayer(host, store, spec, { cache: options.cache, limits: config.storage, variables, onLine }),
    );
    report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached });
    return layer;
  } catch (error) {
    throw stepFailed(error, step.at, text);
  }
}

/**
 * Puts the prime layer below the steps, if systemd-nspawn needs one there. It is a step of its own in the cache, one that changes nothing on
 * most roots.
 */
export async function withPrime(build: Build, stack: Stack, environment: RunEnvironment): Promise<Stack> {
  const { host, store, scratch, caching } = build;
  const lowers = lowersOf(stack);
  if (lowers.length === 0) return stack;
  const key = stepKey(stack.identity, { kind: "prime", parts: { "resolv.conf": environment.resolvConf === undefined ? "no" : "yes" } });
  const found = caching.keeps ? await store.steps.find(key) : undefined;
  if (found && (await store.steps.isWhole(key, found))) return primed(stack, found.folder, found.id);
  const upper = makeUpper(join(scratch, "prime"), lowers[0]);
  const overlay = prepareOverlay(join(scratch, "prime-view"), { lowers });
  const isPrimed = await whileMounted(host, overlay, (root) =>
    primeRoot(host, join(scratch, "prime-run"), { lowers, upper }, root, environment),
  );
  const folder = isPrimed ? upper.folder : undefined;
  if (!caching.keeps) return primed(stack, folder, "prime");
  const layer = await store.steps.take(folder);
  caching.keep(key, layer);
  return primed(stack, layer.folder, layer.id);
}

/** Its folder is none of the image's own; in everything else it is a step. */
function primed(stack: Stack, folder: string | undefined, id: string): Stack {
  const { identity } = withStep(stack, { id, folder });
  return { ...stack, layers: { ...stack.layers, prime: folder === undefined ? [] : [folder] }, identity };
}
