import { shortDigest } from "../base/digest.js";
import { showPlace } from "../base/place.js";
import { linkChain, type Wanted } from "./link-chain.js";
import { hasMovedOn, type PullContext, pull } from "./pull.js";
import type { StoredImage } from "./store.js";

/** An image with all its ancestors, the top layer first, each once, every ancestor below all of its descendants. */
export type ImageChain = readonly StoredImage[];

/** Finds an image's ancestors, pulling what is not there. */
export async function resolveChain(context: PullContext, wanted: readonly Wanted[]): Promise<ImageChain> {
  const anyVersion = new Set<string>();
  const get = (want: Wanted): Promise<StoredImage> => {
    if (want.digest === undefined) anyVersion.add(want.image.url);
    return pullParent(context, want);
  };
  const chain = await linkChain(wanted, get, context.report);
  for (const text of overriddenTexts(chain, anyVersion)) context.report({ kind: "warning", text });
  return chain;
}

/** Where a script, or an image of the Python tool, asks for what a URL has now, a child of it may have been built on something else. */
function overriddenTexts(chain: ImageChain, anyVersion: ReadonlySet<string>): readonly string[] {
  const used = new Map(chain.map(({ image, layer }) => [image.url, layer.digest]));
  return chain.flatMap(({ image: child, meta }) =>
    meta.parents.flatMap(({ image, digest }) => {
      const now = anyVersion.has(image.url) ? used.get(image.url) : undefined;
      return digest === undefined || now === undefined || now === digest
        ? []
        : [movedOnText({ image, child }, digest, `but ${shortDigest(now)} is asked for`)];
    }),
  );
}

/**
 * A parent as its child was built on it. If that one cannot be had any more, it is the one that its URL has now, unless the
 * script pins it. Either way, a URL that has moved on is worth a word.
 */
async function pullParent(context: PullContext, want: Wanted): Promise<StoredImage> {
  const { image, digest, pinned } = want;
  if (digest === undefined) return pull(context, image);
  const stored = await pull(context, image, { digest, required: pinned });
  if (pinned) return stored;
  const isOther = stored.layer.digest !== digest;
  if (isOther || (await hasMovedOn(context, image, digest))) {
    const effect = isOther ? `which is gone: ${shortDigest(stored.layer.digest)} is used` : "which is still used";
    context.report({ kind: "warning", text: movedOnText(want, digest, effect) });
  }
  return stored;
}

function movedOnText({ image, at, child }: Pick<Wanted, "image" | "at" | "child">, digest: string, effect: string): string {
  const built = `${child?.written ?? "an image"} was built on its version ${shortDigest(digest)}`;
  return `${at ? `${showPlace(at)}: ` : ""}${image.written} has moved on: ${built}, ${effect}. Build that image again`;
}
