import { messageOf } from "../base/errors.js";
import type { Place } from "../base/place.js";
import type { ImageRef } from "../plan/image-ref.js";
import { sameContent } from "../transport/transport.js";
import { checkDigest } from "./check-digest.js";
import { linkChain, type Wanted } from "./link-chain.js";
import { type ImageMeta, maxMetaBytes, metaFile, noMeta } from "./meta.js";
import type { PullContext } from "./pull.js";
import { describedMeta } from "./store/layers.js";
import type { StoredImage, StoredLayer } from "./store.js";

/** What a pull would find, and what is known without it. */
export type ImagePreview = Pick<StoredImage, "image"> & {
  /** `stored`: the store has it; `new`: it would be pulled; `unknown`: its URL does not answer, for the reason in `trouble`. */
  readonly state: "stored" | "new" | "unknown";
  readonly trouble?: string;
  /** The line of the script that asks for it, or for an image above it. */
  readonly at?: Place | undefined;
  /** The layer that would be used; undefined if it is not in the store. */
  readonly stored: StoredLayer | undefined;
  /** The image's metadata; undefined if they cannot be known. */
  readonly known: ImageMeta | undefined;
};

/** Images and their ancestors as a pull would find them now, the top layer first. Nothing is changed, and no rights are needed. */
export async function previewChain(context: PullContext, wanted: readonly Wanted[]): Promise<readonly ImagePreview[]> {
  const links = await linkChain(
    wanted,
    async (want) => {
      const preview = { ...(await previewImage(context, want)), at: want.at };
      // What is not there yet has no layer that could be shared.
      return {
        image: want.image,
        preview,
        layer: preview.stored ?? { id: want.image.url },
        meta: preview.known ?? noMeta(want.image.written),
      };
    },
    context.report,
  );
  return links.map(({ preview }) => preview);
}

async function previewImage(context: PullContext, want: Wanted): Promise<ImagePreview> {
  const { store } = context;
  const { image, digest } = want;
  const record = await store.record(image);
  const pinned = digest !== undefined && record?.history.includes(digest) ? await store.layer(digest) : undefined;
  if (pinned) return inStore(context, image, pinned);
  const layer = record && (await store.layer(record.digest));
  let text: string | undefined;
  try {
    const transport = await context.transports.for(image);
    if (record && layer && sameContent(record.validators, await transport.probe(image, { once: true })))
      return inStore(context, image, layer, want);
    text = await peek(context, image);
  } catch (error) {
    const known = layer && (await store.image(image, layer)).meta;
    return { image, state: "unknown", trouble: troubleOf(error, image), stored: layer, known };
  }
  // What is wrong in the metadata is no trouble that passes.
  return { image, state: "new", stored: undefined, known: await describedMeta({ meta: text }, image.written) };
}

/** Why a URL does not answer, without the URL itself: it is there already wherever this is shown. */
function troubleOf(error: unknown, image: ImageRef): string {
  const message = messageOf(error);
  const before = `${image.written}: `;
  return message.startsWith(before) ? message.slice(before.length) : message;
}

async function inStore({ store }: PullContext, image: ImageRef, layer: StoredLayer, want?: Wanted): Promise<ImagePreview> {
  checkDigest(image, layer.digest, want?.pinned ? want.digest : undefined);
  return { image, state: "stored", stored: layer, known: (await store.image(image, layer)).meta };
}

/** Reads as much of an archive as it takes to find the image's metadata. */
async function peek({ host, transports }: PullContext, image: ImageRef): Promise<string | undefined> {
  // Of what the store has, nothing is read.
  const { readMember } = await import("../packer/member.js");
  const { body } = await (await transports.for(image)).get(image, { once: true });
  return readMember(host, body, image.written, metaFile, maxMetaBytes);
}
