import { UsageError } from "../../base/errors.js";
import { type Inventory, imageOf, layerOf, wantedLayer } from "../../image/inventory.js";
import { hasMovedOn } from "../../image/pull.js";
import type { ImageRef } from "../../plan/image-ref.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import { lookIntoStore } from "./context.js";
import { selectImage } from "./select.js";

/**
 * A version of an image as a node. `id`: its URL, or `URL@sha256:…` for another version than its URL has in the store; `digest`: undefined
 * if it is not in the store. `parents`: in the order of PULL.
 */
export type GraphNode = {
  readonly id: string;
  readonly url: string;
  readonly digest: string | undefined;
  readonly bytes: number | undefined;
  readonly parents: readonly GraphEdge[];
};

/**
 * What a child stands on. `id`: of the node that is really used; `builtOn`: the digest that the child names, which is that node's as
 * long as the store has it; `movedOn`: the parent's URL is known to have another version by now; `newer`: its digest, as far as the store has
 * seen it.
 */
export type GraphEdge = {
  readonly id: string;
  readonly builtOn: string | undefined;
  readonly movedOn: boolean;
  readonly newer: string | undefined;
};

/** How images stand on each other. `roots`: ids of those to begin with, which no other one here stands on, or those that were asked for. */
export type ImageGraph = { readonly roots: readonly string[]; readonly nodes: ReadonlyMap<string, GraphNode> };

/** Whether a URL has another version by now than that with the digest. */
type AskMovedOn = (image: ImageRef, digest: string) => Promise<boolean>;

/**
 * The inheritance of images in the store. URLs of parents are asked what they have now.
 * @param words URLs or digests; none: all images
 */
export async function graphImages(context: EngineContext, words: readonly string[]): Promise<ImageGraph> {
  const { store, inventory } = await lookIntoStore(context);
  const transports = new Transports(context.config, process.env, context.report, context.host.interrupted);
  const asked = new Map<string, Promise<boolean>>();
  return imageGraph(inventory, words, (image, digest) => {
    const key = `${image.url}@${digest}`;
    const answer = asked.get(key) ?? hasMovedOn({ ...context, store, transports }, image, digest);
    asked.set(key, answer);
    return answer;
  });
}

/** The same of an inventory. */
export async function imageGraph(inventory: Inventory, words: readonly string[], ask: AskMovedOn): Promise<ImageGraph> {
  const asked = words.map((word) => named(inventory, word));
  const nodes = new Map<string, GraphNode>();
  let open: readonly Version[] = asked.length > 0 ? asked : inventory.images;
  while (open.length > 0) {
    const fresh = new Map(open.flatMap((version) => (nodes.has(idOf(inventory, version)) ? [] : [[idOf(inventory, version), version]])));
    const found = await Promise.all([...fresh].map(([id, version]) => nodeOf(inventory, id, version, ask)));
    for (const { node } of found) nodes.set(node.id, node);
    open = found.flatMap(({ below }) => below);
  }
  const sorted = new Map([...nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { roots: asked.length > 0 ? [...new Set(asked.map((version) => idOf(inventory, version)))] : rootsOf(sorted), nodes: sorted };
}

/** What a node stands for: `digest` of a layer in the store, or of what the record of the URL names. */
type Version = { readonly image: ImageRef; readonly digest: string | undefined };

/** An earlier version is where its URL's history says that it comes from. */
function named(inventory: Inventory, word: string): Version {
  const { layer, images } = selectImage(inventory, word);
  const [image = layer && inventory.images.find(({ history }) => history.includes(layer.digest))] = images;
  if (image) return { image: image.image, digest: layer?.digest ?? image.digest };
  throw new UsageError(`no URL stands for ${word} any more, so it has no place in the graph`);
}

function idOf(inventory: Inventory, { image, digest }: Version): string {
  const current = imageOf(inventory, image)?.digest;
  return digest === undefined || digest === current ? image.url : `${image.url}@${digest}`;
}

async function nodeOf(
  inventory: Inventory,
  id: string,
  { image, digest }: Version,
  ask: AskMovedOn,
): Promise<{ readonly node: GraphNode; readonly below: readonly Version[] }> {
  const layer = digest === undefined ? undefined : layerOf(inventory, digest);
  const below = (layer?.meta.parents ?? []).map((parent) => ({
    image: parent.image,
    digest: wantedLayer(inventory, parent.image, parent.digest)?.digest,
    builtOn: parent.digest,
  }));
  const parents = below.map(async ({ builtOn, ...parent }): Promise<GraphEdge> => {
    const current = imageOf(inventory, parent.image)?.digest;
    return {
      id: idOf(inventory, parent),
      builtOn,
      movedOn: builtOn !== undefined && (await ask(parent.image, builtOn)),
      newer: builtOn !== undefined && current !== builtOn ? current : undefined,
    };
  });
  return { node: { id, url: image.url, digest: layer?.digest, bytes: layer?.bytes, parents: await Promise.all(parents) }, below };
}

/** Images that are their own ancestors stand on each other all, and are begun with too. */
function rootsOf(nodes: ReadonlyMap<string, GraphNode>): readonly string[] {
  const below = new Set([...nodes.values()].flatMap(({ parents }) => parents.map(({ id }) => id)));
  const roots = [...nodes.keys()].filter((id) => !below.has(id));
  const reached = new Set<string>();
  const reach = (id: string): void => {
    if (reached.has(id)) return;
    reached.add(id);
    for (const parent of nodes.get(id)?.parents ?? []) reach(parent.id);
  };
  for (const id of roots) reach(id);
  const more: string[] = [];
  for (const id of nodes.keys()) {
    if (!reached.has(id)) more.push(id);
    reach(id);
  }
  return [...roots, ...more];
}
