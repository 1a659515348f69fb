import { layerId } from "../../image/store/layers.js";
import type { ImageStore } from "../../image/store.js";
import { currentOf, listGenerations } from "../../machine/generations.js";
import type { MachinePaths } from "../../machine/paths.js";
import type { UnitNotes } from "../../machine/unit-notes.js";
import type { UsedImage } from "./newer.js";

/** The image of a machine by its unit, or else by its generation, where a template of one's own does not tell. */
export async function imageOf({ layers: [top] }: UnitNotes, paths: MachinePaths): Promise<UsedImage | undefined> {
  if (top) return { url: top.url, digest: top.digest };
  const current = currentOf(await listGenerations(paths));
  return current && { url: current.image, digest: current.digest };
}

/** When the archives with these digests came into the store, as in ISO 8601, as far as it tells. */
export async function arrivalTimes(store: ImageStore, digests: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const times = [...new Set(digests)].map(async (digest) => {
    const known = await store.layers.description(layerId(digest));
    return known?.digest === digest && known.time !== undefined ? [[digest, known.time] as const] : [];
  });
  return new Map((await Promise.all(times)).flat());
}
