import { messageOf } from "../../base/errors.js";
import type { ImageStore } from "../../image/store.js";
import { type ImageRef, imageRef } from "../../plan/image-ref.js";
import { sha256Of } from "../../transport/freshness.js";
import { sameContent, type Validators } from "../../transport/transport.js";
import { Transports } from "../../transport/transports.js";
import type { EngineContext } from "../context.js";

/** Whether an image's URL has other content by now. `unknown`: it could not be asked, or what it says does not tell. */
export type Newer = { readonly answer: "yes" | "no" } | { readonly answer: "unknown"; readonly why: string };

/** An image as a machine has it. */
export type UsedImage = { readonly url: string; readonly digest: string };

/** Answers for images that {@link askNewer} was given. */
export type NewerAnswers = (image: UsedImage) => Newer;

/**
 * Asks the URLs of images what they have now: each URL once, all in parallel, without a second try, and for no longer than
 * `network/check_timeout`.
 */
export async function askNewer(context: EngineContext, store: ImageStore, images: readonly UsedImage[]): Promise<NewerAnswers> {
  const seconds = context.config.network.checkTimeout;
  const late = AbortSignal.timeout(seconds * 1000);
  const transports = new Transports(context.config, process.env, context.report, AbortSignal.any([context.host.interrupted, late]));
  // A file on a network may take forever, whatever the signal says. One for all: to Node, ten that wait for one signal look like a leak.
  const timeOut = new Promise<never>((_, fail) => late.addEventListener("abort", () => fail(new Error(`no answer within ${seconds} s`))));
  timeOut.catch(() => undefined);
  const ask = (image: ImageRef): Promise<Validators> =>
    Promise.race([transports.for(image).then((transport) => transport.probe(image, { once: true })), timeOut]).catch((error: unknown) =>
      late.aborted ? timeOut : Promise.reject(error),
    );
  const urls = [...new Set(images.map(({ url }) => url))];
  const found = await Promise.all(urls.map(async (url) => [url, await askUrl(store, url, ask)] as const));
  const known = new Map(found);
  return ({ url, digest }) => known.get(url)?.(digest) ?? unknown("it was not asked");
}

/** Returns what tells whether an archive with some digest is what the URL has now. */
async function askUrl(store: ImageStore, url: string, ask: (image: ImageRef) => Promise<Validators>): Promise<(digest: string) => Newer> {
  const image = imageRef(url);
  if (typeof image === "string") return () => unknown(image);
  try {
    const [record, now] = await Promise.all([store.record(image), ask(image)]);
    return (digest) => compare(digest, record, now);
  } catch (error) {
    return () => unknown(messageOf(error));
  }
}

/** @param record what the store knows of the URL, as of the last pull */
function compare(digest: string, record: { readonly digest: string; readonly validators: Validators } | undefined, now: Validators): Newer {
  const named = sha256Of(now);
  if (named !== undefined) return answer(named !== digest);
  if (!record) return unknown("the store has never pulled this URL");
  if (Object.keys(now).length === 0) return unknown("the server does not tell versions apart");
  // Content that differs from what was last pulled is also other than what the machine got from an earlier pull, or as good as that.
  return answer(record.digest !== digest || !sameContent(record.validators, now));
}

function answer(isNewer: boolean): Newer {
  return { answer: isNewer ? "yes" : "no" };
}

function unknown(why: string): Newer {
  return { answer: "unknown", why };
}
