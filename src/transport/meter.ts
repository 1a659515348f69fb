import { type ByteSource, byteSource, piecesOf } from "../base/byte-source.js";
import type { EventOf, Report } from "../base/events.js";

/** What is transferred: `total` in bytes, as announced. */
export type Transfer = Pick<EventOf<"transfer">, "url" | "direction"> & { readonly total?: number | undefined };

/** Milliseconds between two reports. */
const interval = 100;

/**
 * Bytes that tell how far they have come: `transfer` events at most ten times a second, and one when all have passed. The very same pieces are
 * passed on, and it breaks off with `body`, as `body` does with it.
 */
export function metered(body: ByteSource, { url, direction, total }: Transfer, report: Report): ByteSource {
  let bytes = 0;
  let reported = performance.now();
  const tell = (done: boolean): void =>
    report({ kind: "transfer", url, direction, bytes, ...(total === undefined ? {} : { total }), done });
  const pieces = piecesOf(body);
  const next = async (): Promise<Buffer | undefined> => {
    const { done, value: piece } = await pieces.next();
    if (done) {
      if (bytes !== total) tell(true);
      return undefined;
    }
    bytes += piece.length;
    const now = performance.now();
    // The last piece, where it is known to be: whoever reads as many bytes as were announced may never see the end.
    if (bytes === total) tell(true);
    else if (now - reported >= interval) {
      reported = now;
      tell(false);
    }
    return piece;
  };
  return byteSource(next, (why) => body.destroy(why));
}
