import type { Bootstrap } from "../../dsl/arguments.js";
import { inheritSettings } from "../../image/inherit.js";
import { type ImagePreview, previewChain } from "../../image/preview.js";
import { ImageStore, type StoredLayer } from "../../image/store.js";
import { type BuildPlan, checkPlannedCasts } from "../../plan/build-plan.js";
import type { Setting } from "../../settings/merge.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";

/** What a build would do on this host. */
export type BuildPreview = {
  readonly plan: BuildPlan;
  /** The image's ancestors, the top layer first. */
  readonly images: readonly ImagePreview[];
  /** Whether the layer of BOOTSTRAP is in the store; undefined if there is none. */
  readonly bootstrapCached: boolean | undefined;
  /** Environment and WorkingDirectory of commands, with their origins. */
  readonly environment: readonly Setting[];
};

/**
 * Looks at what a build would do. Nothing is changed, and no rights are needed.
 * @param plan may have CASTs that were not checked: what builds have rendered before is not rendered again
 * @throws ScriptError for those that are wrong; TransferError, NspawnError
 */
export async function previewBuild({ host, config, report }: EngineContext, plan: BuildPlan): Promise<BuildPreview> {
  const store = await ImageStore.view(config.storage, host, report);
  checkPlannedCasts(plan, store.notes.renders.known);
  const transports = new Transports(config, process.env, report, host.interrupted);
  const parents = plan.parents.map(({ image, digest, at }) => ({ image, digest, pinned: digest !== undefined, at }));
  const [images, cached] = await Promise.all([
    previewChain({ host, config, store, transports, report }, parents),
    plan.bootstrap && bootstrapped(store, plan.bootstrap.spec),
  ]);
  const chain = images.flatMap(({ image, known }) => (known ? [{ image, meta: known }] : []));
  const settings = inheritSettings(chain, plan.settings);
  return {
    plan,
    images,
    bootstrapCached: plan.bootstrap && cached !== undefined,
    environment: settings.filter(({ name }) => name === "Environment" || name === "WorkingDirectory"),
  };
}

/** The layer of a BOOTSTRAP, if it is there. */
async function bootstrapped(store: ImageStore, spec: Bootstrap): Promise<StoredLayer | undefined> {
  // Not for those that have none: it loads all that unpacks archives.
  const { bootstrapKey } = await import("../build/bootstrap.js");
  return store.derived(bootstrapKey(spec));
}
