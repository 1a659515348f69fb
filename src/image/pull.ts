import { type Report, secondsSince } from "../base/events.js";
import { keepFreedMemory } from "../base/freed-memory.js";
import type { Config } from "../config/config.js";
import type { Host } from "../host/host.js";
import { whileWritingBack } from "../host/write-back.js";
import type { ImageRef } from "../plan/image-ref.js";
import { sameContent, type Transport } from "../transport/transport.js";
import type { Transports } from "../transport/transports.js";
import { checkDigest } from "./check-digest.js";
import { downloadArchive, startingAnew } from "./download.js";
import { archiveEnding, keepArchive } from "./keep-archive.js";
import { readMetaFile } from "./meta-file.js";
import { describedMeta } from "./store/layers.js";
import type { ImageStore, StoredImage, StoredLayer } from "./store.js";
import { unpack } from "./unpack.js";

/** What pulling needs around it. `syncsFirst`: whoever pulls has to have it on the disk before anything else, as for a machine. */
export type PullContext = {
  readonly host: Host;
  readonly config: Pick<Config, "storage">;
  readonly store: ImageStore;
  readonly transports: Transports;
  readonly report: Report;
  readonly syncsFirst?: boolean;
};

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
  const transport = await context.transports.for(image);
  const current = await currentLayer(context, transport, image, pin);
  if (current) return say(current, "stored");
  const waiting = (other: string): void =>
    context.report({ kind: "begin", text: `waiting for ${image.written}: ${other} pulls it`, url: image.written });
  const lock = await context.store.lock(image.url, waiting);
  try {
    // Whoever had the lock may have pulled it just now.
    const meanwhile = await currentLayer(context, transport, image, pin);
    if (meanwhile) return await say(meanwhile, "stored");
    return await say(await download(context, transport, image, pin), "fetched");
  } finally {
    lock.release();
  }
}

/** Whether a URL is known to have other content by now than the archive with this digest; not whether it can be reached. */
export async function hasMovedOn({ store, transports }: PullContext, image: ImageRef, digest: string): Promise<boolean> {
  const record = await store.record(image);
  if (!record) return false;
  if (record.digest !== digest) return true;
  const now = await (await transports.for(image)).probe(image, { once: true }).catch(() => record.validators);
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
  checkPin(image, record.digest, pin);
  return store.layer(record.digest);
}

async function download(
  { host, config, store, report, syncsFirst }: PullContext,
  transport: Transport,
  image: ImageRef,
  pin: Pin | undefined,
): Promise<StoredLayer> {
  report({ kind: "begin", text: `pull ${image.written}`, url: image.written });
  keepFreedMemory();
  const syncsLater = !syncsFirst && store.unsynced.isPossible;
  return startingAnew(report, () =>
    store.whileTemporary((scratch) =>
      store.whileArchiving(async (path) => {
        const archive = path === undefined ? undefined : { path, ending: archiveEnding(image) };
        const work = () =>
          downloadArchive({ host, report }, transport, image, (body, announced) =>
            unpack(host, archive ? keepArchive(body, archive.path) : body, image.written, scratch, {
              devices: "whiteouts",
              limits: config.storage,
              announced,
            }),
          );
        const unpacked = await (syncsLater ? work() : whileWritingBack(host, scratch, work, () => store.unsynced.refuse()));
        checkPin(image, unpacked.digest, pin);
        await checkMeta(image, unpacked.folder);
        const layer = await store.addLayer({ ...unpacked, archive, syncsLater });
        await store.setRecord(image, layer.digest, unpacked.validators);
        return layer;
      }),
    ),
  );
}

function checkPin(image: ImageRef, digest: string, pin: Pin | undefined): void {
  if (pin?.required) checkDigest(image, digest, pin.digest);
}

/** What cannot be used is not taken in. */
async function checkMeta(image: ImageRef, folder: string): Promise<void> {
  const text = await readMetaFile(folder, image.written);
  await describedMeta({ meta: text }, image.written);
}
