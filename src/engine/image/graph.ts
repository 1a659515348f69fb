import { UsageError } from "../../base/errors.js";
import { type Inventory, imageOf, type KnownImage, layerOf, wantedLayer } from "../../image/inventory.js";
import { imageRef } from "../../plan/image-ref.js";
import type { EngineContext } from "../context.js";
import { lookIntoStore } from "./context.js";
import { selectImage } from "./select.js";

/** An image as a node. `digest`: undefined if it is not in the store. `parents`: their URLs, in the order of PULL. */
export type GraphNode = {
  readonly url: string;
  readonly digest: string | undefined;
  readonly bytes: number | undefined;
  readonly parents: readonly GraphEdge[];
};

/** `movedOn`: the store has seen another version of the parent than the one that the child was built on. */
export type GraphEdge = { readonly url: string; readonly movedOn: boolean };

/** How images stand on each other. `roots`: those to begin with, which no other one here stands on, or those that were asked for. */
export type ImageGraph = { readonly roots: readonly string[]; readonly nodes: ReadonlyMap<string, GraphNode> };

/**
 * The inheritance of images in the store, without asking their URLs.
 * @param words URLs or digests; none: all images
 */
export async function graphImages(context: EngineContext, words: readonly string[]): Promise<ImageGraph> {
  const { inventory } = await lookIntoStore(context);
  return imageGraph(inventory, words);
}

export function imageGraph(inventory: Inventory, words: readonly string[]): ImageGraph {
  const asked = words.map((word) => named(inventory, word));
  const nodes = new Map<string, GraphNode>();
  const open: string[] = asked.length > 0 ? asked.map(({ url }) => url) : inventory.images.map(({ url }) => url);
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (nodes.has(url)) continue;
    const node = nodeOf(inventory, url);
    nodes.set(url, node);
    open.push(...node.parents.map((parent) => parent.url));
  }
  const sorted = new Map([...nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { roots: asked.length > 0 ? [...new Set(asked.map(({ url }) => url))] : rootsOf(sorted), nodes: sorted };
}

function named(inventory: Inventory, word: string): KnownImage {
  const [image] = selectImage(inventory, word).images;
  if (image) return image;
  throw new UsageError(`no URL stands for ${word} any more, so it has no place in the graph`);
}

function nodeOf(inventory: Inventory, url: string): GraphNode {
  const image = imageRef(url);
  const known = typeof image === "string" ? undefined : imageOf(inventory, image);
  const layer = known && layerOf(inventory, known.digest);
  const parents = (layer?.meta.parents ?? []).map((parent) => {
    const used = wantedLayer(inventory, parent.image, parent.digest);
    const current = imageOf(inventory, parent.image);
    return {
      url: parent.image.url,
      movedOn:
        parent.digest !== undefined && [used?.digest, current?.digest].some((digest) => digest !== undefined && digest !== parent.digest),
    };
  });
  return { url, digest: layer?.digest, bytes: layer?.bytes, parents };
}

/** Images that are their own ancestors stand on each other all, and are begun with too. */
function rootsOf(nodes: ReadonlyMap<string, GraphNode>): readonly string[] {
  const below = new Set([...nodes.values()].flatMap(({ parents }) => parents.map(({ url }) => url)));
  const roots = [...nodes.keys()].filter((url) => !below.has(url));
  const reached = new Set<string>();
  const reach = (url: string): void => {
    if (reached.has(url)) return;
    reached.add(url);
    for (const parent of nodes.get(url)?.parents ?? []) reach(parent.url);
  };
  for (const url of roots) reach(url);
  const more: string[] = [];
  for (const url of nodes.keys()) {
    if (!reached.has(url)) more.push(url);
    reach(url);
  }
  return [...roots, ...more];
}
