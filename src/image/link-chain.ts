import { shortDigest } from "../base/digest.js";
import { NspawnError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import type { Place } from "../base/place.js";
import { maxLayers } from "../layer/overlay.js";
import type { ImageRef } from "../plan/image-ref.js";
import { findEach } from "./find-each.js";
import type { ImageMeta, ParentRef } from "./meta.js";

/** What counts of an image for its place in a chain. */
type Link = { readonly image: ImageRef; readonly layer: { readonly id: string }; readonly meta: Pick<ImageMeta, "parents"> };

/**
 * What a chain is made from: the image itself, or the parents of one that is being built, in the order of PULL. `at`: the line of the
 * script that asks for it, or for an image above it; `child`: the image that names it as its parent, if one does.
 */
export type Wanted = ParentRef & { readonly pinned: boolean; readonly at?: Place | undefined; readonly child?: ImageRef };

/**
 * Puts images and all of their ancestors in order. A later parent lies above an earlier one; an image that several descendants share
 * is there once.
 * @param get finds one image; called in parallel, for each URL once
 */
export async function linkChain<T extends Link>(
  wanted: readonly Wanted[],
  get: (want: Wanted) => Promise<T>,
  report: Report,
): Promise<readonly T[]> {
  const images = await getAll(wanted, get, report);
  const order: T[] = [];
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

/** Finds images and all their ancestors, in parallel, each URL once. */
async function getAll<T extends Link>(
  wanted: readonly Wanted[],
  get: (want: Wanted) => Promise<T>,
  report: Report,
): Promise<ReadonlyMap<string, T>> {
  const images = new Map<string, T>();
  const asked = new Map<string, string | undefined>();
  const named = new Set(wanted.map(({ image }) => image.url));
  let wave: readonly Wanted[] = wanted;
  while (wave.length > 0) {
    const fresh = notAsked(wave, asked, report);
    // A server may name another parent in each image that it makes up, or thousands in one.
    if (asked.size - named.size > maxLayers) {
      const last = wave.at(-1)?.image.written;
      throw new NspawnError(`there are more than ${maxLayers} ancestors, the last one ${last}: Linux stacks no more layers`);
    }
    const found = await findEach(fresh, async (want) => {
      const image = await get(want);
      return { image, parents: parentsOf(image, named).map((parent) => ({ ...parent, at: want.at, child: want.image })) };
    });
    for (const { image } of found) images.set(image.image.url, image);
    wave = found.flatMap(({ parents }) => parents);
  }
  return images;
}

/** Those that have not been asked for. From now on they have, in the version that the first one wants. */
function notAsked(wave: readonly Wanted[], asked: Map<string, string | undefined>, report: Report): readonly Wanted[] {
  const fresh: Wanted[] = [];
  for (const want of wave) {
    const earlier = asked.get(want.image.url);
    if (!asked.has(want.image.url)) fresh.push(want);
    else if (earlier !== undefined && want.digest !== undefined && earlier !== want.digest) {
      report({
        kind: "warning",
        text: `${want.image.written} is wanted in two versions, ${shortDigest(earlier)} and ${shortDigest(want.digest)}: the first is used`,
      });
    }
    if (earlier === undefined) asked.set(want.image.url, want.digest);
  }
  return fresh;
}

/**
 * The parents that an image names. One from elsewhere may not name files of this host: it would bring what is in them into
 * itself, and be trusted for them; unless the script itself names the same file.
 */
function parentsOf({ image, meta }: Link, named: ReadonlySet<string>): readonly Wanted[] {
  for (const { image: parent } of meta.parents) {
    if (parent.scheme !== "file" || image.scheme === "file" || named.has(parent.url)) continue;
    throw new NspawnError(`${image.written} names ${parent.written} as its parent, a file of this host`, {
      hint: "publish that parent at a URL that all hosts can reach, and build the image on that",
    });
  }
  return meta.parents.map((parent) => ({ ...parent, pinned: false }));
}
