import { messageOf } from "../base/errors.js";
import { type ImageRef, imageRef } from "../plan/image-ref.js";
import { linkChain } from "./link-chain.js";
import { type ImageMeta, noMeta } from "./meta.js";
import type { Claim } from "./store/claims.js";
import { describedMeta, type LayerDescription, layerId } from "./store/layers.js";
import type { ImageRecord } from "./store/records.js";
import type { ImageStore } from "./store.js";

/** What is known of a layer. `trouble`: why its metadata cannot be used; then it counts as having none. */
export type KnownLayer = Omit<LayerDescription, "meta" | "fields"> & {
  readonly id: string;
  readonly meta: ImageMeta;
  readonly trouble?: string;
};

/** An image that a URL stands for, as the store last saw it. */
export type KnownImage = ImageRecord & { readonly image: ImageRef };

/** A machine of this host with the ids of all layers that it names or has mounted: those of now, and of versions it may go back to. */
export type LayerUser = { readonly machine: string; readonly layers: readonly string[] };

/** All that a store has, and who uses it, as found at one moment. Nothing in it asks a server. */
export type Inventory = {
  readonly images: readonly KnownImage[];
  /** By their ids. */
  readonly layers: ReadonlyMap<string, KnownLayer>;
  /** Digests of layers that were made, not pulled. */
  readonly derived: ReadonlySet<string>;
  readonly claims: readonly Claim[];
  readonly machines: readonly LayerUser[];
};

/** One image of a chain. `layer`: undefined if it is not in the store. */
export type StoredLink = { readonly image: ImageRef; readonly layer: KnownLayer | undefined };

/** Looks through a store. */
export async function takeInventory(store: ImageStore, findMachines: () => Promise<readonly LayerUser[]>): Promise<Inventory> {
  // In this order: a process that ends meanwhile has given what it claimed to a machine or to an image before.
  const claims = await store.claims();
  const machines = await findMachines();
  const { records } = await store.records.all();
  const derived = await store.derivedLayers.all();
  const { described } = await store.layers.names();
  const layers = await Promise.all(described.map((id) => knownLayer(store, id)));
  return {
    images: records.flatMap((record) => {
      const image = imageRef(record.url);
      return typeof image === "string" ? [] : [{ ...record, image }];
    }),
    layers: new Map(layers.flatMap((layer) => (layer ? [[layer.id, layer]] : []))),
    derived: new Set(derived.flatMap(({ digest }) => digest ?? [])),
    claims,
    machines,
  };
}

async function knownLayer(store: ImageStore, id: string): Promise<KnownLayer | undefined> {
  const description = await store.layers.description(id);
  if (!description || !(await store.layers.find(description.digest))) return undefined;
  const { meta: _meta, fields: _fields, ...known } = description;
  const origin = `with the digest ${description.digest}`;
  try {
    return { ...known, id, meta: description.meta === undefined ? noMeta("") : await describedMeta(description, origin) };
  } catch (error) {
    return { ...known, id, meta: noMeta(""), trouble: messageOf(error) };
  }
}

/** The layer with a digest. */
export function layerOf({ layers }: Inventory, digest: string): KnownLayer | undefined {
  const layer = layers.get(layerId(digest));
  return layer?.digest === digest ? layer : undefined;
}

export function imageOf({ images }: Inventory, { url }: ImageRef): KnownImage | undefined {
  return images.find((image) => image.url === url);
}

/**
 * An image and its ancestors as they would be used if no URL had changed, the top layer first.
 * @throws NspawnError where no chain can be made of them
 */
export async function storedChain(inventory: Inventory, image: ImageRef, digest: string | undefined): Promise<readonly StoredLink[]> {
  const get = async (want: { readonly image: ImageRef; readonly digest: string | undefined }) => {
    const layer = wantedLayer(inventory, want.image, want.digest);
    return { image: want.image, stored: layer, layer: layer ?? { id: want.image.url }, meta: layer?.meta ?? noMeta("") };
  };
  const links = await linkChain([{ image, digest, pinned: false }], get, () => undefined);
  return links.map((link) => ({ image: link.image, layer: link.stored }));
}

/** The layer that a parent's URL and digest stand for: that with the digest, or else what the URL has now. */
export function wantedLayer(inventory: Inventory, image: ImageRef, digest: string | undefined): KnownLayer | undefined {
  const built = digest === undefined ? undefined : layerOf(inventory, digest);
  if (built) return built;
  const current = imageOf(inventory, image);
  return current && layerOf(inventory, current.digest);
}
