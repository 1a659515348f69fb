import { Readable } from "node:stream";

/**
 * Bytes that come piece by piece, as a Readable is one. A piece is good until the next one is asked for: its memory may be used again then, since for
 * gigabytes, new memory takes longer than to copy what is in it. Whoever does not read it to its end has to destroy it; from then on it gives nothing but
 * errors.
 */
export type ByteSource = AsyncIterable<Buffer> & { destroy(error?: Error): unknown };

/** The pieces of a source. Whoever reads them is told of an error, and nobody else: a Readable would end the process where nobody reads just then. */
export function piecesOf(source: ByteSource): AsyncIterator<Buffer, undefined> {
  if (source instanceof Readable) source.on("error", () => undefined);
  return source[Symbol.asyncIterator]();
}

/**
 * @param next gives the next piece, or undefined at the end, behind which it is not asked again
 * @param destroy is called once if it is given up, or has failed; it ends a call of `next` that waits, too
 */
export function byteSource(next: () => Promise<Buffer | undefined>, destroy: (why: Error) => void): ByteSource {
  let end: "ended" | { readonly why: unknown } | undefined;
  const stop = (why: unknown = new Error("nobody reads on")): void => {
    if (end !== undefined) return;
    end = { why };
    destroy(why as Error);
  };
  const read = async (): Promise<Buffer | undefined> => {
    try {
      return await next();
    } catch (error) {
      stop(error);
      throw error;
    }
  };
  const iterator: AsyncIterator<Buffer, undefined> = {
    next: async () => {
      const value = end === undefined ? await read() : undefined;
      // It may have been destroyed meanwhile: then this piece is nobody's.
      if (typeof end === "object") throw end.why;
      if (value !== undefined) return { done: false, value };
      end = "ended";
      return { done: true, value };
    },
    return: async () => {
      stop();
      return { done: true, value: undefined };
    },
  };
  return { destroy: stop, [Symbol.asyncIterator]: () => iterator };
}
