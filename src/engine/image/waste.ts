import { basename } from "node:path";
import { type Inventory, layerOf } from "../../image/inventory.js";
import type { ImageStore } from "../../image/store.js";
import { usageOf } from "../../image/usage.js";
import { type StepLimits, spareSteps } from "../build/tidy.js";

/** Work folders of builds that were kept to be looked at are waste after this many days without a change. */
const keptDays = 7;

/**
 * What a store has and nothing needs. `bytes`: on disk, as far as that counts.
 * - `layer`: no machine, image of the store, or running process has it or stands on it; `url`: what it once was, if that is known
 * - `leftover`: a folder without its description or the other way round, as a kill or a damaged disk leaves it
 * - `archive`: of a layer that is not there
 * - `record`: of a URL none of whose layers is there, or a damaged one
 * - `derived`: what says that a layer was made by BOOTSTRAP, of a layer that is not there
 * - `temporary`: work of a process that was killed; any command removes it
 * - `kept`: a build's work folder
 * - `step`: of the cache of builds, beyond its limits of size and age, or left by a build that was killed
 */
export type Waste = {
  readonly kind: "layer" | "leftover" | "archive" | "record" | "derived" | "temporary" | "kept" | "step";
  /** Id of a layer, path of a file or folder, or a URL. */
  readonly name: string;
  readonly url?: string | undefined;
  readonly bytes: number;
};

/** Finds all waste but temporary folders, which opening the store removes. */
export async function findWaste(store: ImageStore, inventory: Inventory): Promise<readonly Waste[]> {
  const usage = usageOf(inventory);
  const layers = [...inventory.layers.values()].filter(({ id }) => !usage.has(id));
  const remaining = (digest: string | undefined): boolean => {
    const layer = digest === undefined ? undefined : layerOf(inventory, digest);
    return layer !== undefined && !layers.includes(layer);
  };
  const { described, folders, archives } = await store.layers.names();
  const leftovers = [...new Set([...described, ...folders])].filter((id) => !inventory.layers.has(id) && !usage.has(id));
  const keptArchives = new Set([...inventory.layers.values()].map(({ archive }) => archive));
  const stale = inventory.images.filter(({ history }) => !history.some(remaining));
  const { damaged } = await store.records.all();
  const derived = (await store.derivedLayers.all()).filter(({ digest }) => !remaining(digest));
  const old = Date.now() - keptDays * 24 * 3600 * 1000;
  const kept = (await store.workFolders.kept()).filter(({ time }) => time.getTime() < old);
  const urlOf = (digest: string): string | undefined => inventory.images.find(({ history }) => history.includes(digest))?.url;
  return Promise.all([
    ...layers.map(async ({ id, digest, bytes, extracted, archive }): Promise<Waste> => {
      const size = extracted ?? (await store.layers.measure(id));
      return { kind: "layer", name: id, url: urlOf(digest), bytes: size + (archive === undefined ? 0 : bytes) };
    }),
    ...leftovers.map(async (id): Promise<Waste> => ({ kind: "leftover", name: id, bytes: await store.layers.measure(id) })),
    ...archives
      .filter((name) => !keptArchives.has(name))
      .map(async (name): Promise<Waste> => ({ kind: "archive", name, bytes: await store.layers.measureArchive(name) })),
    ...[...stale.map(({ url }) => url), ...damaged].map((name): Waste => ({ kind: "record", name, bytes: 0 })),
    ...derived.map(({ name }): Waste => ({ kind: "derived", name, bytes: 0 })),
    ...kept.map(async ({ path }): Promise<Waste> => ({ kind: "kept", name: path, bytes: await store.workFolders.measure(path) })),
  ]);
}

/** Finds what dead processes have left. */
export async function findTemporary(store: ImageStore): Promise<readonly Waste[]> {
  const paths = await store.workFolders.dead();
  return Promise.all(
    paths.map(async (path): Promise<Waste> => ({ kind: "temporary", name: path, bytes: await store.workFolders.measure(path) })),
  );
}

/** Finds what is too much in the step cache, or all of it, and what killed builds have left there. */
export async function findStepWaste(store: ImageStore, limits: StepLimits, all: boolean): Promise<readonly Waste[]> {
  const { steps: cached, leftovers } = await store.steps.survey();
  const { folders, descriptions } = leftovers;
  const steps = spareSteps(cached, limits, all);
  return [
    ...steps.map(({ id, bytes }): Waste => ({ kind: "step", name: id, bytes })),
    ...(await Promise.all(
      folders.map(async (path): Promise<Waste> => ({ kind: "step", name: path, bytes: await store.workFolders.measure(path) })),
    )),
    ...descriptions.map((path): Waste => ({ kind: "step", name: path, bytes: 0 })),
  ];
}

/** What an item of waste is, in words. */
export function wasteName({ kind, name, url }: Waste): string {
  return kind === "layer" && url !== undefined
    ? `${name} (${url})`
    : kind === "temporary" || kind === "kept" || kind === "step"
      ? basename(name)
      : name;
}
