import type { Inventory, KnownImage, KnownLayer } from "../../image/inventory.js";
import { layerOf, storedChain } from "../../image/inventory.js";
import { type Usage, usageOf } from "../../image/usage.js";
import type { EngineContext } from "../context.js";
import { lookIntoStore } from "./context.js";

/**
 * One layer of the store. `kind`: what its URL stands for now, what its URL stood for before, what BOOTSTRAP made, or what nobody knows
 * the origin of. `extracted`: bytes on disk; `layers`: how many its chain has, with itself; undefined if no chain can be made of it, or what
 * one of its images stands on is not known.
 */
export type ImageRow = {
  readonly kind: "image" | "earlier" | "bootstrap" | "unknown";
  readonly url: string | undefined;
  readonly digest: string;
  readonly bytes: number;
  readonly extracted: number | undefined;
  readonly time: string | undefined;
  readonly layers: number | undefined;
  readonly machines: readonly string[];
};

/** All that the store has, in the order of URLs. */
export async function listImages(context: EngineContext): Promise<readonly ImageRow[]> {
  const { inventory } = await lookIntoStore(context);
  return imageRows(inventory);
}

export async function imageRows(inventory: Inventory): Promise<readonly ImageRow[]> {
  const usage = usageOf(inventory);
  const rows: ImageRow[] = [];
  const shown = new Set<string>();
  for (const image of inventory.images) {
    for (const digest of [image.digest, ...image.history.filter((earlier) => earlier !== image.digest).reverse()]) {
      const layer = layerOf(inventory, digest);
      const isCurrent = digest === image.digest;
      // What is an earlier version of one URL may be the current one of another.
      if (!layer || (!isCurrent && inventory.images.some((other) => other.digest === digest))) continue;
      shown.add(layer.id);
      rows.push(await row(inventory, usage, layer, image, isCurrent));
    }
  }
  for (const layer of inventory.layers.values()) {
    if (!shown.has(layer.id)) rows.push(await row(inventory, usage, layer, undefined, false));
  }
  return rows;
}

async function row(
  inventory: Inventory,
  usage: Usage,
  layer: KnownLayer,
  image: KnownImage | undefined,
  isCurrent: boolean,
): Promise<ImageRow> {
  const chain = image && (await storedChain(inventory, image.image, layer.digest).catch(() => undefined));
  const other = inventory.derived.has(layer.digest) ? "bootstrap" : "unknown";
  return {
    kind: image ? (isCurrent ? "image" : "earlier") : other,
    url: image?.url,
    digest: layer.digest,
    bytes: layer.bytes,
    extracted: layer.extracted,
    time: isCurrent ? image?.time : layer.time,
    layers: chain?.every((link) => link.layer && link.layer.trouble === undefined) ? chain.length : undefined,
    machines: (usage.get(layer.id) ?? []).flatMap((user) => (user.kind === "machine" ? [user.name] : [])),
  };
}
