import { NspawnError } from "../../base/errors.js";
import { processTitle } from "../../base/process-id.js";
import { type Inventory, type KnownImage, type KnownLayer, layerOf } from "../../image/inventory.js";
import type { ImageStore } from "../../image/store.js";
import { ancestorsOf, type User, usageOf } from "../../image/usage.js";
import type { EngineContext } from "../context.js";
import { inventoryOf, whileOpen } from "./context.js";
import { removeLayers } from "./removal.js";
import { type Selected, selectImage } from "./select.js";

/**
 * Forgets images, and removes their layers, those of earlier versions too. All of them go, or none.
 * @param words URLs or digests
 * @throws NspawnError that says who uses them; what {@link selectImage} throws
 */
export async function removeImages(context: EngineContext, words: readonly string[]): Promise<void> {
  await whileOpen(context, async (store) => {
    const inventory = await inventoryOf(context, store);
    const selected = words.map((word) => ({ word, ...selectImage(inventory, word) }));
    const layers = new Set(selected.flatMap((one) => layersOf(inventory, one)));
    refuseUsed(inventory, selected);
    const images = new Set(selected.flatMap((one) => one.images));
    for (const { image, url } of images) {
      await forget(context, store, image);
      context.report({ kind: "removed", what: "image", name: url, bytes: 0 });
    }
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

/** The layers that go with what was named: that of the digest, or all that the URL has had. */
function layersOf(inventory: Inventory, { layer, images }: Selected): readonly KnownLayer[] {
  const digests = images.flatMap(({ history }) => history);
  return [...new Set([layer, ...digests.map((digest) => layerOf(inventory, digest))])].filter((found) => found !== undefined);
}

/** Images that go together may stand on each other. */
function refuseUsed(inventory: Inventory, selected: readonly (Selected & { readonly word: string })[]): void {
  const going = new Set(selected.flatMap(({ images }) => images));
  const staying = inventory.images.filter((image) => !going.has(image));
  const usage = usageOf(inventory);
  const refusals = selected.flatMap((one) => {
    const users = layersOf(inventory, one).flatMap(({ id }) => usage.get(id) ?? []);
    const others = users.filter(({ kind }) => kind !== "image");
    const names = [...new Set([...others, ...imagesOn(inventory, one, staying, users)].map(nameOf))];
    return names.length > 0 ? [`${one.word} is in use by ${names.join(", ")}`] : [];
  });
  if (refusals.length > 0) throw new NspawnError(refusals.join("\n"), { hint: "nothing was removed" });
}

/** Images that stay and stand on one that is to go: by its URL, since another URL may have the same layer; or else by its layer. */
function imagesOn(inventory: Inventory, { images }: Selected, staying: readonly KnownImage[], users: readonly User[]): readonly User[] {
  if (images.length === 0) return users.filter(({ kind }) => kind === "image");
  const children = staying.filter((image) => {
    const ancestors = ancestorsOf(inventory, image);
    return images.some(({ url }) => ancestors.has(url));
  });
  return children.map(({ url }) => ({ kind: "image", url }));
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
async function forget({ report }: EngineContext, store: ImageStore, image: Selected["images"][number]["image"]): Promise<void> {
  const lock = await store.lock(image.url, (other) => report({ kind: "begin", text: `waiting: ${other} pulls ${image.written}` }));
  try {
    await store.records.remove(image);
  } finally {
    await lock.release();
  }
}
