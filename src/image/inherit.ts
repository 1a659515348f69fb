import type { ImageRef } from "../plan/image-ref.js";
import { mergeSettings, type Setting, type SettingSource } from "../settings/merge.js";
import type { ImageMeta } from "./meta.js";

/** An image, as far as its settings go. */
export type Ancestor = { readonly image: ImageRef; readonly meta: ImageMeta };

/**
 * The settings of a script and of its images: the nearest of a single value, all of a list, farthest first.
 * @param chain top image first
 */
export function inheritSettings(chain: readonly Ancestor[], own: SettingSource): readonly Setting[] {
  return mergeSettings([...chain.map(sourceOf).reverse(), own]);
}

function sourceOf({ image, meta }: Ancestor): SettingSource {
  return { origin: image.written, removed: meta.removed, entries: meta.settings };
}
