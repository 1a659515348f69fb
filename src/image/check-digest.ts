import { NspawnError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";

/** @throws NspawnError that names both digests */
export function checkDigest(image: ImageRef, digest: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === digest) return;
  throw new NspawnError(`${image.written} has the digest ${digest}, expected is ${wanted}`, {
    hint: "if the new content is meant, put its digest into the script",
  });
}
