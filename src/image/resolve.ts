import { NspawnError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { ParentRef } from "./meta.js";
import { type PullContext, pull } from "./pull.js";
import type { StoredImage } from "./store.js";

/** An image with all its ancestors, the top layer first, each once, every ancestor below all of its descendants. */
export type ImageChain = readonly StoredImage[];

/** What a chain is made from: the image itself, or the parents of one that is being built, in the order of PULL. */
export type Wanted = ParentRef & { readonly pinned: boolean };

/**
 * Finds an image's ancestors, pulling what is not there. A later parent lies above an earlier one; an image that several
 * descendants share is there once.
 */
export async function resolveChain(context: PullContext, wanted: readonly Wanted[]): Promise<ImageChain> {
  const images = await pullAll(context, wanted);
  const order: StoredImage[] = [];
  const visited = new Set<string>();
  const layers = new Set<string>();
  const visit = (image: ImageRef, path: readonly string[]): void => {
    if (path.includes(image.url))
      throw new NspawnError(`images are their own ancestors: ${[...path.slice(path.indexOf(image.url)), image.url].join(" → ")}`);
    if (visited.has(image.url)) return;
    visited.add(image.url);
    const stored = images.get(image.url);
    if (!stored) return;
    for (const parent of stored.meta.parents) visit(parent.image, [...path, image.url]);
    // One archive may be known under two URLs; the kernel takes a layer once only.
    if (!layers.has(stored.layer.id)) order.push(stored);
    layers.add(stored.layer.id);
  };
  for (const { image } of wanted) visit(image, []);
  return order.reverse();
}

/** Pulls images and all their ancestors, in parallel, each URL once. */
async function pullAll(context: PullContext, wanted: readonly Wanted[]): Promise<ReadonlyMap<string, StoredImage>> {
  const images = new Map<string, StoredImage>();
  const asked = new Map<string, string | undefined>();
  let wave: readonly Wanted[] = wanted;
  while (wave.length > 0) {
    const fresh: Wanted[] = [];
    for (const want of wave) {
      const earlier = asked.get(want.image.url);
      if (!asked.has(want.image.url)) fresh.push(want);
      else if (earlier !== undefined && want.digest !== undefined && earlier !== want.digest) {
        context.report({
          kind: "warning",
          text: `${want.image.written} is wanted in two versions, ${short(earlier)} and ${short(want.digest)}: the first is used`,
        });
      }
      if (earlier === undefined) asked.set(want.image.url, want.digest);
    }
    const pulled = await settleAll(fresh.map((want) => pullParent(context, want)));
    for (const image of pulled) images.set(image.image.url, image);
    wave = pulled.flatMap(({ meta }) => meta.parents.map((parent) => ({ ...parent, pinned: false })));
  }
  return images;
}

/** A parent as its child was built on it. If it cannot be had any more, the one that its URL has now, with a warning; unless the script pins it. */
async function pullParent(context: PullContext, { image, digest, pinned }: Wanted): Promise<StoredImage> {
  const stored = await pull(context, image, digest === undefined ? undefined : { digest, required: pinned });
  if (digest === undefined || stored.layer.digest === digest) return stored;
  const versions = `an image above it was built on ${short(digest)}, which is gone; ${short(stored.layer.digest)} is used`;
  context.report({ kind: "warning", text: `${image.written} has moved on: ${versions}. Build that image again` });
  return stored;
}

/** Waits for all, so that nothing goes on behind an error; then throws the first error. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}
