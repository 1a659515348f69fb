import { shortDigest } from "../../base/digest.js";
import type { Problem } from "../../base/errors.js";
import type { ImagePreview } from "../../image/preview.js";
import { inOrder } from "../../plan/select.js";
import { showBytes } from "../quantity.js";
import type { Item } from "./plan.js";

/** The images that cannot be had at all, at the lines of the script that need them: without them a plan is incomplete, and the work fails. */
export function missingImages(images: readonly ImagePreview[]): readonly Problem[] {
  const missing = images.flatMap(({ image, known, at, trouble }): readonly Problem[] => {
    if (known || !at) return [];
    return [{ at, near: image.written, message: `the plan is incomplete, since ${image.written} cannot be had: ${trouble}` }];
  });
  return inOrder(missing);
}

/** Images for people, the top layer first. */
export function imageItems(images: readonly ImagePreview[]): readonly Item[] {
  return images.map((preview) => [preview.image.written, imageRemark(preview)]);
}

function imageRemark({ state, stored, trouble }: ImagePreview): string {
  const layer = stored ? `${shortDigest(stored.digest)} ${showBytes(stored.bytes)}` : "";
  switch (state) {
    case "stored":
      return `in the store: ${layer}`;
    case "new":
      return "will be pulled";
    case "unknown":
      return `${stored ? "" : "cannot be had: "}${trouble}${stored ? `; in the store: ${layer}` : ""}`;
  }
}

/** Images for programs. */
export function imageFields(images: readonly ImagePreview[]): readonly Readonly<Record<string, unknown>>[] {
  return images.map(({ image, state, stored, trouble, known }) => ({
    url: image.written,
    state,
    digest: stored?.digest,
    bytes: stored?.bytes,
    layer: stored?.id,
    parents: known?.parents.map((parent) => parent.image.written),
    trouble,
  }));
}
