import { messageOf, NspawnError, TransferError } from "../base/errors.js";
import { type Report, secondsSince } from "../base/events.js";
import type { Host } from "../host/host.js";
import type { ImageRef } from "../plan/image-ref.js";
import { sameContent, type Transport, transportFor } from "../transport/transport.js";
import type { ImageStore, StoredImage, StoredLayer } from "./store.js";
import { unpack } from "./unpack.js";

/** What pulling needs around it. */
export type PullContext = { readonly host: Host; readonly store: ImageStore; readonly report: Report };

/** The archive that is wanted, by its digest. `required`: any other content is refused; else the URL's own is taken instead. */
export type Pin = { readonly digest: string; readonly required: boolean };

/**
 * Brings the image that a URL stands for into the store, unless it is there. If the store has the archive that is wanted, the URL is
 * not asked.
 * @throws TransferError, NspawnError
 */
export async function pull(context: PullContext, image: ImageRef, pin?: Pin): Promise<StoredImage> {
  const started = performance.now();
  const say = (layer: StoredLayer, how: "fetched" | "stored"): Promise<StoredImage> => {
    const { digest, bytes } = layer;
    context.report({ kind: "pulled", url: image.written, digest, bytes, seconds: secondsSince(started), how });
    return context.store.image(image, layer);
  };
  const pinned = pin && (await pinnedLayer(context, image, pin));
  if (pinned) return say(pinned, "stored");
  const transport = await transportFor(image);
  const current = await currentLayer(context, transport, image, pin);
  if (current) return say(current, "stored");
  const waiting = (other: string): void => context.report({ kind: "begin", text: `waiting for ${image.written}: ${other} pulls it` });
  const lock = await context.store.lock(image.url, waiting);
  try {
    // Whoever had the lock may have pulled it just now.
    const meanwhile = await currentLayer(context, transport, image, pin);
    if (meanwhile) return await say(meanwhile, "stored");
    return await say(await download(context, transport, image, pin), "fetched");
  } finally {
    await lock.release();
  }
}

/** Whether a URL is known to have other content by now than the archive with this digest; not whether it can be reached. */
export async function hasMovedOn({ store }: PullContext, image: ImageRef, digest: string): Promise<boolean> {
  const record = await store.record(image);
  if (!record) return false;
  if (record.digest !== digest) return true;
  const now = await (await transportFor(image)).probe(image).catch(() => record.validators);
  return Object.keys(now).length > 0 && !sameContent(record.validators, now);
}

/** The layer that is wanted, if it once came from this URL: an image's word for it would make its content that of any URL. */
async function pinnedLayer({ store }: PullContext, image: ImageRef, { digest }: Pin): Promise<StoredLayer | undefined> {
  const record = await store.record(image);
  return record?.history.includes(digest) ? store.layer(digest) : undefined;
}

/** The stored layer, if the URL still stands for the content that it came from. */
async function currentLayer(
  { store }: PullContext,
  transport: Transport,
  image: ImageRef,
  pin: Pin | undefined,
): Promise<StoredLayer | undefined> {
  const record = await store.record(image);
  if (!record || !sameContent(record.validators, await transport.probe(image))) return undefined;
  checkDigest(image, record.digest, pin);
  return store.layer(record.digest);
}

async function download(
  { host, store, report }: PullContext,
  transport: Transport,
  image: ImageRef,
  pin: Pin | undefined,
): Promise<StoredLayer> {
  report({ kind: "begin", text: `pull ${image.written}` });
  return store.whileTemporary(async (scratch) => {
    const { body, bytes: announced, validators } = await transport.get(image);
    const unpacked = await unpack(host, body, image.written, scratch).catch((error: unknown) => {
      throw error instanceof NspawnError
        ? error
        : new TransferError(image.written, `the download broke off: ${messageOf(error)}`, { cause: error });
    });
    if (announced !== undefined && unpacked.bytes !== announced) {
      throw new TransferError(image.written, `${unpacked.bytes} bytes came, ${announced} were announced`);
    }
    checkDigest(image, unpacked.digest, pin);
    const layer = await store.addLayer(unpacked.folder, unpacked.digest, unpacked.bytes);
    await store.setRecord(image, layer.digest, validators);
    return layer;
  });
}

function checkDigest(image: ImageRef, digest: string, pin: Pin | undefined): void {
  if (!pin?.required || pin.digest === digest) return;
  throw new NspawnError(`${image.written} has the digest ${digest}, expected is ${pin.digest}`, {
    hint: "if the new content is meant, put its digest into the script",
  });
}
