import { NspawnError, UsageError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { type Inventory, imageOf, type KnownImage, type KnownLayer, layerOf } from "../../image/inventory.js";
import { imageRef } from "../../plan/image-ref.js";

/** What an argument names: an image by its URL, or a layer by its digest, with the images that have it now. */
export type Selected = { readonly by: "url" | "digest"; readonly layer: KnownLayer | undefined; readonly images: readonly KnownImage[] };

/**
 * Finds what an argument URL|DIGEST names. A digest may be cut short, and lack its `sha256:`.
 * @throws UsageError if it is neither; NspawnError if the store has no such thing
 */
export function selectImage(inventory: Inventory, word: string): Selected {
  const start = /^(?:sha256:)?([0-9a-f]{8,64})$/.exec(word)?.[1];
  return start === undefined ? selectByUrl(inventory, word) : selectByDigest(inventory, `sha256:${start}`);
}

function selectByUrl(inventory: Inventory, word: string): Selected {
  const image = imageRef(word);
  if (typeof image === "string")
    throw new UsageError(`${JSON.stringify(word)} is no URL and no digest: ${image}`, { hint: "nspawn image list shows both" });
  const known = imageOf(inventory, image);
  if (known) return { by: "url", layer: layerOf(inventory, known.digest), images: [known] };
  const urls = inventory.images.map(({ url }) => url);
  throw new NspawnError(`the store has no image ${word}`, { hint: didYouMean(image.url, urls) ?? "nspawn image list shows what it has" });
}

function selectByDigest(inventory: Inventory, start: string): Selected {
  const layers = [...inventory.layers.values()].filter(({ digest }) => digest.startsWith(start));
  const [layer, second] = layers;
  if (!layer) throw new NspawnError(`the store has no image with the digest ${start}`, { hint: "nspawn image list shows what it has" });
  if (second)
    throw new NspawnError(`${start} is the start of ${layers.length} digests`, { hint: `such as ${layer.digest} and ${second.digest}` });
  return { by: "digest", layer, images: inventory.images.filter(({ digest }) => digest === layer.digest) };
}
