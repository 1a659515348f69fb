import { join } from "node:path";
import { messageOf } from "../../base/errors.js";
import { type Inventory, type KnownImage, type KnownLayer, storedChain } from "../../image/inventory.js";
import { hasMovedOn, type PullContext } from "../../image/pull.js";
import { type User, usageOf } from "../../image/usage.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";
import { lookIntoStore } from "./context.js";
import { selectImage } from "./select.js";

/**
 * All that is known of an image; sizes in bytes, times as in ISO 8601. `urls`: those that stand for it now, with how to tell whether they
 * still do, and all digests that they have had. `layer`: undefined if the store has its record only.
 */
export type ImageDetails = {
  readonly urls: readonly Pick<KnownImage, "url" | "digest" | "time" | "validators" | "history">[];
  readonly layer:
    | {
        readonly digest: string;
        readonly folder: string;
        readonly bytes: number;
        readonly extracted: number | undefined;
        readonly time: string | undefined;
        readonly archive: string | undefined;
      }
    | undefined;
  /** `digest`: that the image was built on; `movedOn`: the URL is known to have another one by now. */
  readonly parents: readonly { readonly url: string; readonly digest: string | undefined; readonly movedOn: boolean }[];
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  readonly removed: readonly string[];
  readonly command: readonly string[] | undefined;
  /** The top layer first. */
  readonly chain: readonly {
    readonly url: string;
    readonly digest: string | undefined;
    readonly bytes: number | undefined;
    readonly extracted: number | undefined;
  }[];
  readonly usedBy: readonly User[];
  /** What is wrong with it. */
  readonly trouble: readonly string[];
};

/**
 * Finds out all about an image. Parents' URLs are asked what they have now.
 * @param word a URL or a digest
 * @throws what {@link selectImage} throws
 */
export async function inspectImage(context: EngineContext, word: string): Promise<ImageDetails> {
  const { store, inventory } = await lookIntoStore(context);
  const { layer, images } = selectImage(inventory, word);
  const transports = new Transports(context.config, process.env, context.report, context.host.interrupted);
  const [{ chain, trouble }, parents] = await Promise.all([
    chainOf(inventory, images[0], layer),
    parentsOf({ ...context, store, transports }, layer),
  ]);
  const own = new Set(images.map(({ url }) => url));
  const users = (layer && usageOf(inventory).get(layer.id)) ?? [];
  return {
    urls: images.map(({ url, digest, time, validators, history }) => ({ url, digest, time, validators, history })),
    layer: layer && {
      digest: layer.digest,
      folder: join(store.extractFolder, layer.id),
      bytes: layer.bytes,
      extracted: layer.extracted,
      time: layer.time,
      archive: layer.archive === undefined ? undefined : join(context.config.storage.root, "archive", layer.archive),
    },
    parents,
    settings: layer?.meta.settings ?? [],
    removed: layer?.meta.removed ?? [],
    command: layer?.meta.command,
    chain,
    usedBy: users.filter((user) => user.kind !== "image" || !own.has(user.url)),
    trouble: [
      ...(layer ? [] : ["the store has lost its layer; the next pull brings it back"]),
      ...(layer?.trouble === undefined ? [] : [layer.trouble]),
      ...trouble,
    ],
  };
}

function parentsOf(context: PullContext, layer: KnownLayer | undefined): Promise<ImageDetails["parents"]> {
  const parents = layer?.meta.parents ?? [];
  return Promise.all(
    parents.map(async ({ image, digest }) => ({
      url: image.written,
      digest,
      movedOn: digest !== undefined && (await hasMovedOn(context, image, digest)),
    })),
  );
}

/** A layer that no URL stands for any more has no place in a chain but its own. */
async function chainOf(
  inventory: Inventory,
  image: KnownImage | undefined,
  layer: KnownLayer | undefined,
): Promise<{ readonly chain: ImageDetails["chain"]; readonly trouble: readonly string[] }> {
  if (!image) return { chain: [], trouble: [] };
  try {
    const links = await storedChain(inventory, image.image, layer?.digest);
    const missing = links.filter((link) => !link.layer).map((link) => `${link.image.written} is not in the store; a pull brings it`);
    return {
      chain: links.map((link) => ({
        url: link.image.written,
        digest: link.layer?.digest,
        bytes: link.layer?.bytes,
        extracted: link.layer?.extracted,
      })),
      trouble: layer ? missing : [],
    };
  } catch (error) {
    return { chain: [], trouble: [messageOf(error)] };
  }
}
