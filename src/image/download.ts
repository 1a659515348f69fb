import { addAbortSignal, type Readable } from "node:stream";
import { messageOf, NspawnError, TransferError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import type { Host } from "../host/host.js";
import type { ImageRef } from "../plan/image-ref.js";
import { metered } from "../transport/meter.js";
import type { Transport, Validators } from "../transport/transport.js";

/**
 * Downloads an archive, and tells how far it has come. An interrupt ends it, also where the server says nothing.
 * @param take reads it all, and says how many bytes it has read
 * @throws TransferError if it breaks off or comes short; InterruptedError; what `take` throws
 */
export async function downloadArchive<T extends { readonly bytes: number }>(
  { host, report }: { readonly host: Host; readonly report: Report },
  transport: Transport,
  image: ImageRef,
  take: (archive: Readable) => Promise<T>,
): Promise<T & { readonly validators: Validators }> {
  const { body, bytes: announced, validators } = await unlessInterrupted(host, transport.get(image));
  const archive = metered(addAbortSignal(host.interrupted, body), { url: image.written, direction: "down", total: announced }, report);
  const taken = await take(archive).catch((error: unknown) => {
    host.interrupted.throwIfAborted();
    throw error instanceof NspawnError
      ? error
      : new TransferError(image.written, `the download broke off: ${messageOf(error)}`, { cause: error });
  });
  if (announced !== undefined && taken.bytes !== announced) {
    throw new TransferError(image.written, `${taken.bytes} bytes came, ${announced} were announced`);
  }
  return { ...taken, validators };
}

async function unlessInterrupted<T>({ interrupted }: Host, promise: Promise<T>): Promise<T> {
  interrupted.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(interrupted.reason);
    interrupted.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) interrupted.removeEventListener("abort", stop);
  }
}

/** @throws NspawnError that names both digests */
export function checkDigest(image: ImageRef, digest: string, wanted: string | undefined): void {
  if (wanted === undefined || wanted === digest) return;
  throw new NspawnError(`${image.written} has the digest ${digest}, expected is ${wanted}`, {
    hint: "if the new content is meant, put its digest into the script",
  });
}
