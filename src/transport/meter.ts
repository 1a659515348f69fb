import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { EventOf, Report } from "../base/events.js";

/** What is transferred: `total` in bytes, as announced. */
export type Transfer = Pick<EventOf<"transfer">, "url" | "direction"> & { readonly total?: number | undefined };

/** Milliseconds between two reports. */
const interval = 100;

/**
 * A stream of bytes that tells how far it has come: `transfer` events at most ten times a second, and one when all has passed. It
 * passes the very same chunks on, waits where its reader does, and breaks off with `body`, as `body` does with it.
 */
export function metered(body: Readable, { url, direction, total }: Transfer, report: Report): Readable {
  let bytes = 0;
  let reported = performance.now();
  const tell = (done: boolean): void =>
    report({ kind: "transfer", url, direction, bytes, ...(total === undefined ? {} : { total }), done });
  const meter = new Transform({
    // Chunk by chunk: read as bytes, those that wait would be copied together.
    readableObjectMode: true,
    readableHighWaterMark: 4,
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const now = performance.now();
      // The last chunk, where it is known to be: whoever reads as many bytes as were announced may never see the end.
      if (bytes === total) tell(true);
      else if (now - reported >= interval) {
        reported = now;
        tell(false);
      }
      done(null, chunk);
    },
    flush(done) {
      if (bytes !== total) tell(true);
      done();
    },
  });
  // Whoever reads the meter gets the error too.
  pipeline(body, meter).catch(() => undefined);
  return meter;
}
