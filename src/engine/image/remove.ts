import { NspawnError } from "../../base/errors.js";
import { processTitle } from "../../base/process-id.js";
import { type Inventory, type KnownImage, type KnownLayer, layerOf } from "../../image/inventory.js";
import type { ImageStore } from "../../image/store.js";
import { standsOn, type User, usageOf } from "../../image/usage.js";
import type { ImageRef } from "../../plan/image-ref.js";
import type { EngineContext } from "../context.js";
import { inventoryOf, whileOpen } from "./context.js";
import { removeLayers } from "./removal.js";
import { type Selected, selectImage } from "./select.js";

/**
 * Forgets images, and removes their layers, those of earlier versions too. All of them go, or none. A digest takes its own layer only
 * where others stand on an earlier version of the same URL: that stays known as what it is.
 * @param words URLs or digests
 * @throws NspawnError that says who uses them; what {@link selectImage} throws
 */
export async function removeImages(context: EngineContext, words: readonly string[]): Promise<void> {
  await whileOpen(context, async (store) => {
    const inventory = await inventoryOf(context, store);
    const named = words.map((word) => ({ word, ...selectImage(inventory, word) }));
    const selected = named.map((one) => goingWith(inventory, one, named));
    refuseUsed(inventory, selected);
    const layers = new Set(selected.flatMap((one) => one.layers));
    for (const { image, url } of new Set(selected.flatMap((one) => one.forgotten))) {
      await whileLocked(context, store, image, () => store.records.remove(image));
      context.report({ kind: "removed", what: "image", name: url, bytes: 0 });
    }
    for (const { image, digest, earlier } of selected.flatMap((one) => one.retracted))
      await whileLocked(context, store, image, () => store.records.retract(image, digest, earlier));
    const gone = await removeLayers(
      context,
      store,
      inventory,
      [...layers].map(({ id }) => id),
    );
    for (const { id, digest, extracted = 0 } of layers) {
      if (gone.has(id)) context.report({ kind: "removed", what: "layer", name: digest, bytes: extracted });
    }
  });
}

/** What goes with an argument: layers, images that are forgotten, and those that stand for an `earlier` version from then on. */
type Going = Selected & {
  readonly word: string;
  readonly layers: readonly KnownLayer[];
  readonly forgotten: readonly KnownImage[];
  readonly retracted: readonly (KnownImage & { readonly earlier: string })[];
};

function goingWith(inventory: Inventory, one: Selected & { readonly word: string }, all: readonly Selected[]): Going {
  const usage = usageOf(inventory);
  const going = new Set(all.flatMap(({ images }) => images));
  const staying = inventory.images.filter((image) => !going.has(image));
  const isUsed = (layer: KnownLayer, { url }: KnownImage): boolean =>
    (usage.get(layer.id) ?? []).some(({ kind }) => kind !== "image") ||
    staying.some((image) => standsOn(inventory, image, new Set([url]), new Set([layer])));
  const layersOf = ({ history }: KnownImage): readonly KnownLayer[] => history.flatMap((digest) => layerOf(inventory, digest) ?? []);
  const retracted = one.images.flatMap((image) => {
    const earlier = one.by === "url" ? undefined : layersOf(image).findLast((layer) => layer !== one.layer && isUsed(layer, image));
    return earlier ? [{ ...image, earlier: earlier.digest }] : [];
  });
  const forgotten = one.images.filter(({ url }) => !retracted.some((image) => image.url === url));
  return { ...one, forgotten, retracted, layers: [...new Set([...(one.layer ? [one.layer] : []), ...forgotten.flatMap(layersOf)])] };
}

/** Images that go together may stand on each other. */
function refuseUsed(inventory: Inventory, selected: readonly Going[]): void {
  const going = new Set(selected.flatMap(({ images }) => images));
  const staying = inventory.images.filter((image) => !going.has(image));
  const usage = usageOf(inventory);
  const refusals = selected.flatMap((one) => {
    const users = one.layers.flatMap(({ id }) => usage.get(id) ?? []);
    const others = users.filter(({ kind }) => kind !== "image");
    const names = [...new Set([...others, ...imagesOn(inventory, one, staying, users)].map(nameOf))];
    return names.length > 0 ? [`${one.word} is in use by ${names.join(", ")}`] : [];
  });
  if (refusals.length > 0) throw new NspawnError(refusals.join("\n"), { hint: "nothing was removed" });
}

/** Images that stay and stand on one that is to go: by its URL, since another URL may have the same layer; or else by its layer. */
function imagesOn(
  inventory: Inventory,
  { images, layers }: Going,
  staying: readonly KnownImage[],
  users: readonly User[],
): readonly User[] {
  if (images.length === 0) return users.filter(({ kind }) => kind === "image");
  const urls = new Set(images.map(({ url }) => url));
  const going = new Set(layers);
  return staying.filter((image) => standsOn(inventory, image, urls, going)).map(({ url }) => ({ kind: "image", url }));
}

function nameOf(user: User): string {
  switch (user.kind) {
    case "machine":
      return `the machine ${user.name}`;
    case "image":
      return `the image ${user.url}`;
    case "process":
      return `${processTitle(user.pid) ?? "a process"} (process ${user.pid})`;
  }
}

/** Not while somebody pulls it. */
async function whileLocked({ report }: EngineContext, store: ImageStore, image: ImageRef, change: () => Promise<void>): Promise<void> {
  const lock = await store.lock(image.url, (other) => report({ kind: "begin", text: `waiting: ${other} pulls ${image.written}` }));
  try {
    await change();
  } finally {
    lock.release();
  }
}
