import { ImageStore } from "../../image/store.js";
import { type ImageRef, imageRef } from "../../plan/image-ref.js";
import { spareSteps, tidySteps } from "../build/tidy.js";
import type { EngineContext } from "../context.js";
import { inventoryOf, lookIntoStore, whileOpen } from "./context.js";
import { removeLayers } from "./removal.js";
import { findStepWaste, findTemporary, findWaste, type Waste, wasteName } from "./waste.js";

/** `cache`: whether all cached steps of builds go, not just those that are too many or too old. */
export type PruneOptions = { readonly cache: boolean };

/** What {@link pruneStore} would remove now. Nothing is changed. */
export async function previewPrune(context: EngineContext, { cache }: PruneOptions = { cache: false }): Promise<readonly Waste[]> {
  const { store, inventory } = await lookIntoStore(context);
  const steps = await findStepWaste(store, context.config.build, cache);
  return [...(await findWaste(store, inventory)), ...(await findTemporary(store)), ...steps];
}

/** Removes from the store what nothing needs, beside commands that use it. */
export async function pruneStore(context: EngineContext, { cache }: PruneOptions = { cache: false }): Promise<void> {
  const { config, host, report } = context;
  // Opening the store removes these.
  const temporary = await findTemporary(await ImageStore.view(config.storage, host, report));
  await whileOpen(context, async (store) => {
    const inventory = await inventoryOf(context, store);
    const waste = await findWaste(store, inventory);
    const ids = waste.flatMap(({ kind, name }) => (kind === "layer" || kind === "leftover" ? [name] : []));
    const gone = await removeLayers(context, store, inventory, ids);
    const removed: Waste[] = [...temporary];
    for (const item of waste) {
      if (await removers[item.kind](item, store, gone)) removed.push(item);
    }
    removed.push(...(await pruneSteps(context, store, cache)));
    for (const item of removed) report({ kind: "removed", what: item.kind, name: wasteName(item), bytes: item.bytes });
    if (removed.length === 0) report({ kind: "acted", text: "nothing to remove" });
    const locks = await store.removeLocks();
    report({ kind: "detail", text: `${locks} files of locks that nobody holds are removed` });
  });
}

/** Steps that a running build uses stay. */
async function pruneSteps({ config }: EngineContext, store: ImageStore, all: boolean): Promise<readonly Waste[]> {
  const found = await findStepWaste(store, config.build, all);
  const spare = spareSteps(await store.steps.all(), config.build, all);
  const gone = new Set((await store.removeSteps(spare)).map(({ id }) => id));
  await tidySteps(store, config.build, await store.steps.survey());
  return found.filter(({ name }) => gone.has(name) || name.includes("/"));
}

type Remover = (item: Waste, store: ImageStore, gone: ReadonlySet<string>) => Promise<boolean>;

/** How each kind of waste is removed, layers being gone already. They say whether it is. */
const removers: { readonly [K in Waste["kind"]]: Remover } = {
  layer: async ({ name }, _, gone) => gone.has(name),
  leftover: async ({ name }, _, gone) => gone.has(name),
  // Its layer may have come in meanwhile.
  archive: ({ name }, store) => store.removeArchive(name),
  record: async ({ name }, store) => {
    const image = name.startsWith("/") ? undefined : imageRef(name);
    if (typeof image === "object") return removeRecord(image, store);
    await store.records.discard(name);
    return true;
  },
  derived: async ({ name }, store) => {
    await store.derivedLayers.remove(name);
    return true;
  },
  temporary: async () => true,
  // These are removed by themselves, behind the others.
  step: async () => false,
  kept: async ({ name }, store) => {
    await store.workFolders.remove(name);
    return true;
  },
};

/** Not while somebody pulls the image, and not if a layer of it is there by now. */
async function removeRecord(image: ImageRef, store: ImageStore): Promise<boolean> {
  const lock = await store.lock(image.url, () => undefined);
  try {
    const { history } = (await store.record(image)) ?? { history: [] };
    const layers = await Promise.all(history.map((digest) => store.layers.find(digest)));
    if (layers.some((layer) => layer !== undefined)) return false;
    await store.records.remove(image);
    return true;
  } finally {
    lock.release();
  }
}
