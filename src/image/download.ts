import type { ByteSource } from "../base/byte-source.js";
import { messageOf, NspawnError, TransferError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import type { Host } from "../host/host.js";
import type { ImageRef } from "../plan/image-ref.js";
import { ChangedError } from "../transport/failure.js";
import { sha256Of } from "../transport/freshness.js";
import { metered } from "../transport/meter.js";
import type { Transport, Validators } from "../transport/transport.js";

/** What came, by whoever has read it. `digest`: `sha256:` and 64 hexadecimal digits. */
type Taken = { readonly bytes: number; readonly digest: string };

/**
 * Downloads an archive, and tells how far it has come. An interrupt ends it, also where the server says nothing.
 * @param take reads it all, and says what it has read; it is told how many bytes are announced
 * @throws TransferError if it breaks off for good, or is not what was announced: a ChangedError if that is worth a new start;
 * InterruptedError; what `take` throws
 */
export async function downloadArchive<T extends Taken>(
  { host, report }: { readonly host: Pick<Host, "interrupted">; readonly report: Report },
  transport: Transport,
  image: ImageRef,
  take: (archive: ByteSource, announced: number | undefined) => Promise<T>,
): Promise<T & { readonly validators: Validators }> {
  host.interrupted.throwIfAborted();
  const { body, bytes: announced, validators } = await transport.get(image);
  const archive = metered(body, { url: image.written, direction: "down", total: announced }, report);
  const stop = (): unknown => body.destroy(host.interrupted.reason);
  host.interrupted.addEventListener("abort", stop);
  if (host.interrupted.aborted) stop();
  const taken = await take(archive, announced)
    .catch((error: unknown) => {
      host.interrupted.throwIfAborted();
      throw error instanceof NspawnError
        ? error
        : new TransferError(image.written, `the download broke off: ${messageOf(error)}`, { cause: error });
    })
    .finally(() => {
      host.interrupted.removeEventListener("abort", stop);
      archive.destroy();
    });
  if (announced !== undefined && taken.bytes !== announced) {
    throw new TransferError(image.written, `${taken.bytes} bytes came, ${announced} were announced`);
  }
  const named = sha256Of(validators);
  if (named !== undefined && named !== taken.digest) {
    throw new TransferError(image.written, `what came has the digest ${taken.digest}, and the server says it is ${named} (nspawn-digest)`, {
      hint: "if it is so again, the server names the digest of another version: push the image again",
    });
  }
  return { ...taken, validators };
}

/** How often a download starts anew. */
const newStarts = 2;

/** Does the work of a download again, from nothing, where the content changed in the middle of it. */
export async function startingAnew<T>(report: Report, work: () => Promise<T>): Promise<T> {
  for (let left = newStarts; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChangedError) || left === 0) throw error;
      report({ kind: "warning", text: `${error.message}; it starts anew` });
    }
  }
}
