import type { Inventory, KnownImage, KnownLayer } from "./inventory.js";
import { layerOf, wantedLayer } from "./inventory.js";

/** Who needs a layer: a machine that has it, an image of the store that it is, or stands on, a process that works with it. */
export type User =
  | { readonly kind: "machine"; readonly name: string }
  | { readonly kind: "image"; readonly url: string }
  | { readonly kind: "process"; readonly pid: number };

/** Who needs which layer, by its id. What is not in it nobody needs. */
export type Usage = ReadonlyMap<string, readonly User[]>;

/** Finds out who needs which layers. */
export function usageOf(inventory: Inventory): Usage {
  const usage = new Map<string, User[]>();
  const add = (id: string, user: User): void => void usage.set(id, [...(usage.get(id) ?? []), user]);
  for (const { machine, layers } of inventory.machines) for (const id of layers) add(id, { kind: "machine", name: machine });
  for (const image of inventory.images) {
    for (const { id } of layersBelow(inventory, image)) add(id, { kind: "image", url: image.url });
  }
  for (const { layer, pid } of inventory.claims) {
    const isNew = !usage.get(layer)?.some((user) => user.kind === "process" && user.pid === pid);
    if (isNew) add(layer, { kind: "process", pid });
  }
  return usage;
}

/** The layer of an image and those of all its ancestors, whether or not a chain can be made of them. */
export function layersBelow(inventory: Inventory, { digest }: KnownImage): readonly KnownLayer[] {
  const found = new Set<KnownLayer>();
  const top = layerOf(inventory, digest);
  const open = top ? [top] : [];
  for (let layer = open.pop(); layer; layer = open.pop()) {
    if (found.has(layer)) continue;
    found.add(layer);
    for (const parent of layer.meta.parents) {
      const below = wantedLayer(inventory, parent.image, parent.digest);
      if (below) open.push(below);
    }
  }
  return [...found];
}

/** Whether an image stands on some of these layers, as what one of these URLs had. */
export function standsOn(inventory: Inventory, image: KnownImage, urls: ReadonlySet<string>, layers: ReadonlySet<KnownLayer>): boolean {
  return layersBelow(inventory, image).some(({ meta }) =>
    meta.parents.some((parent) => {
      const below = wantedLayer(inventory, parent.image, parent.digest);
      return below !== undefined && layers.has(below) && urls.has(parent.image.url);
    }),
  );
}
