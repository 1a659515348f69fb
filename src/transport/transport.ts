import type { ByteSource } from "../base/byte-source.js";
import type { ImageRef } from "../plan/image-ref.js";

/** What tells one version of a URL's content from another: names and values, such as `etag`. Empty: nothing is known. */
export type Validators = Readonly<Record<string, string>>;

/** `bytes`: as announced. `body` is one version of the content, whole, or ends in an error: a ChangedError if that is worth a new start. */
export type Download = { readonly body: ByteSource; readonly bytes: number | undefined; readonly validators: Validators };

/** An archive that is ready to be published: a file that is not needed any more afterwards. */
export type Upload = { readonly path: string; readonly bytes: number; readonly digest: string };

/** `once`: what fails is not tried again, since the answer is not worth a wait. */
export type Haste = { readonly once: boolean };

/** How archives come and go for one scheme of URLs. All throw TransferError, or InterruptedError. */
export interface Transport {
  /** What the URL's content is now, without getting it. */
  probe(image: ImageRef, haste?: Haste): Promise<Validators>;
  get(image: ImageRef, haste?: Haste): Promise<Download>;
  /** Publishes an archive: others see the old one or the new one, never a half. */
  put(image: ImageRef, upload: Upload): Promise<void>;
}

/** Whether two sets of validators stand for the same content; unknown ones do not. */
export function sameContent(a: Validators, b: Validators): boolean {
  const keys = Object.keys(a);
  return keys.length > 0 && keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
