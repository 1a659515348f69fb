import type { Config } from "../../config/config.js";
import type { CachedStep, StepSurvey } from "../../image/store/step-layers.js";
import type { ImageStore } from "../../image/store.js";

/** How much the cache may hold: bytes on disk, and days without use. */
export type StepLimits = Pick<Config["build"], "cacheSize" | "cacheAge">;

/** What {@link tidySteps} would remove of the cache's steps; all of them, if none is wanted any more. */
export function spareSteps(steps: readonly CachedStep[], limits: StepLimits, all: boolean): readonly CachedStep[] {
  return all ? steps : stepsBeyond(steps, limits);
}

/** Removes from the step cache what is more than the configuration allows, and what killed builds have left. */
export async function tidySteps(store: ImageStore, limits: StepLimits, { steps, leftovers }: StepSurvey): Promise<void> {
  await store.removeSteps(stepsBeyond(steps, limits));
  await store.removeStepLeftovers(leftovers);
  for (const kind of store.notes.kinds) for (const path of await kind.olderThan(oldest(limits))) await kind.remove(path);
}

/** Those that were not used for too long, and of the others those that were not used for longest, until the rest takes no more than it may. */
export function stepsBeyond(steps: readonly CachedStep[], limits: StepLimits): readonly CachedStep[] {
  const newestFirst = [...steps].sort((a, b) => b.used.getTime() - a.used.getTime());
  const old = oldest(limits);
  let bytes = 0;
  return newestFirst.filter((step) => {
    bytes += step.bytes;
    return bytes > limits.cacheSize || step.used < old;
  });
}

function oldest({ cacheAge }: StepLimits): Date {
  return new Date(Date.now() - cacheAge * 24 * 3600 * 1000);
}
