import { shortDigest } from "../../base/digest.js";
import type { ImagePreview } from "../../image/preview.js";
import { showBytes } from "../quantity.js";
import type { Item } from "./plan.js";

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
      return `${trouble}${stored ? `; in the store: ${layer}` : ""}`;
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
