import { NspawnError } from "../base/errors.js";
import { type Report, secondsSince } from "../base/events.js";
import type { Host } from "../host/host.js";
import type { ImageRef } from "../plan/image-ref.js";
import { sameContent, type Transport, transportFor } from "../transport/transport.js";
import type { ImageStore, StoredImage, StoredLayer } from "./store.js";
import { unpack } from "./unpack.js";

/** What pulling needs around it. */
export type PullContext = { readonly host: Host; readonly store: ImageStore; readonly report: Report };

/**
 * Brings the image that a URL stands for into the store, unless it is there.
 * @param digest what the archive has to be; any other content is refused. If the store has it, the URL is not asked.
 * @throws TransferError, NspawnError
 */
export async function pull(context: PullContext, image: ImageRef, digest?: string): Promise<StoredImage> {
  const started = performance.now();
  const say = (layer: StoredLayer, how: "fetched" | "stored"): Promise<StoredImage> => {
    context.report({ kind: "pulled", url: image.written, digest: layer.digest, bytes: layer.bytes, seconds: secondsSince(started), how });
    return context.store.image(image, layer);
  };
  const pinned = digest === undefined ? undefined : await context.store.layer(digest);
  if (pinned) return say(pinned, "stored");
  const transport = await transportFor(image);
  const current = await currentLayer(context, transport, image);
  if (current) return say(checked(current, image, digest), "stored");
  const lock = await context.store.lock(image.url, (other) =>
    context.report({ kind: "begin", text: `waiting for ${image.written}: ${other} pulls it` }),
  );
  try {
    // Whoever had the lock may have pulled it just now.
    const meanwhile = await currentLayer(context, transport, image);
    if (meanwhile) return await say(checked(meanwhile, image, digest), "stored");
    return await say(await download(context, transport, image, digest), "fetched");
  } finally {
    await lock.release();
  }
}

/** The stored layer, if the URL still stands for the content that it came from. */
async function currentLayer({ store }: PullContext, transport: Transport, image: ImageRef): Promise<StoredLayer | undefined> {
  const record = await store.record(image);
  if (!record || !sameContent(record.validators, await transport.probe(image))) return undefined;
  return store.layer(record.digest);
}

async function download(
  { host, store, report }: PullContext,
  transport: Transport,
  image: ImageRef,
  digest: string | undefined,
): Promise<StoredLayer> {
  report({ kind: "begin", text: `pull ${image.written}` });
  return store.whileTemporary(async (scratch) => {
    const { body, bytes: announced, validators } = await transport.get(image);
    const unpacked = await unpack(host, body, image.written, scratch);
    if (announced !== undefined && unpacked.bytes !== announced) {
      throw new NspawnError(`${image.written}: ${unpacked.bytes} bytes came, ${announced} were announced`);
    }
    const layer = checked(await addChecked(store, unpacked, image, digest), image, digest);
    await store.setRecord(image, layer.digest, validators);
    return layer;
  });
}

async function addChecked(
  store: ImageStore,
  unpacked: { folder: string; digest: string; bytes: number },
  image: ImageRef,
  digest: string | undefined,
): Promise<StoredLayer> {
  if (digest !== undefined && unpacked.digest !== digest) throw wrongDigest(image, digest, unpacked.digest);
  return store.addLayer(unpacked.folder, unpacked.digest, unpacked.bytes);
}

function checked(layer: StoredLayer, image: ImageRef, digest: string | undefined): StoredLayer {
  if (digest !== undefined && layer.digest !== digest) throw wrongDigest(image, digest, layer.digest);
  return layer;
}

function wrongDigest(image: ImageRef, expected: string, found: string): DigestError {
  return new DigestError(`${image.written} has the digest ${found}, expected is ${expected}`, {
    hint: "if the new content is meant, put its digest into the script",
  });
}

/** A URL has other content than the one that was asked for by digest. */
export class DigestError extends NspawnError {
  override readonly name = "DigestError";
}
