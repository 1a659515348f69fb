import { type ByteSource, byteSource } from "../base/byte-source.js";
import type { ImageRef } from "../plan/image-ref.js";
import { contentRange, unsatisfiedLength } from "./content-range.js";
import { type Answer, discard } from "./exchange.js";
import { ChangedError, failureOf, TransientError } from "./failure.js";
import { differ, header, type Identity, identityOf, sameBytes } from "./freshness.js";
import { type Persistence, Retries } from "./retry.js";
import { refused } from "./status.js";

/** Where a body that breaks off is got on from. */
export type Origin = Persistence & {
  readonly image: ImageRef;
  /** Asks again for the image, with more headers. Throws TransferError. */
  readonly ask: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Answer>;
  /** Seconds in which some of the body has to come. */
  readonly readTimeout: number;
};

/** The length of an answer's body, as announced. */
export function lengthOf({ headers }: Answer): number | undefined {
  const text = header(headers, "content-length");
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * The body of an answer with the status 200 as one stream. Where it breaks off or stalls, the rest is asked for (Range, If-Range), and the
 * stream goes on with the very next byte. It ends in a ChangedError where the rest is not certain to belong to what came before.
 */
export function resumable(response: Answer, origin: Origin): ByteSource {
  const abort = new AbortController();
  const stop = (): void => abort.abort(origin.interrupted.reason);
  origin.interrupted.addEventListener("abort", stop);
  const body = new ResumableBody(response, { ...origin, interrupted: abort.signal });
  const close = (): void => {
    origin.interrupted.removeEventListener("abort", stop);
    body.close();
  };
  const next = async (): Promise<Buffer | undefined> => {
    const piece = await body.next();
    // The answer that told the end may have a body of its own, which nobody reads.
    if (piece === undefined) close();
    return piece;
  };
  return byteSource(next, (why) => {
    abort.abort(why);
    close();
  });
}

/** So many bytes more, and it is worth all tries again. */
const progress = 1 << 16;

/** A body that comes more slowly than this many bytes in the time for a part has stalled. */
const slowest = 1024;

class ResumableBody {
  readonly #origin: Origin;
  readonly #identity: Identity;
  readonly #retries: Retries;
  #total: number | undefined;
  /** The answer whose body is read now; its bytes up to `#skip` are known already. */
  #response: Answer;
  #chunks: AsyncIterator<Buffer>;
  #skip = 0;
  /** How many bytes have been passed on, and how many there were at the last failure. */
  #offset = 0;
  #failedAt = 0;
  /** What came since the last time that enough did, and how long we waited for it. */
  #slow = { seconds: 0, bytes: 0 };

  constructor(response: Answer, origin: Origin) {
    this.#origin = origin;
    this.#identity = identityOf(response.headers);
    this.#total = lengthOf(response);
    this.#retries = new Retries(origin, () => `${this.#position()} are there`);
    this.#response = response;
    this.#chunks = chunksOf(response);
  }

  /** The next bytes, or undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      try {
        const chunk = await this.#read();
        if (chunk === undefined) return undefined;
        const fresh = this.#withoutKnown(chunk);
        if (fresh.length === 0) continue;
        this.#offset += fresh.length;
        if (this.#total !== undefined && this.#offset > this.#total)
          throw this.#changed(`more than the announced ${this.#total} bytes came`);
        return fresh;
      } catch (error) {
        // Nothing was missing but the end.
        if (this.#offset === this.#total) return undefined;
        await this.#resume(error);
      }
    }
  }

  close(): void {
    discard(this.#response);
  }

  async #read(): Promise<Buffer | undefined> {
    const { interrupted, image } = this.#origin;
    const started = performance.now();
    try {
      const { done, value } = await this.#chunks.next();
      if (!done) {
        this.#checkPace((performance.now() - started) / 1000, value.length);
        return value;
      }
    } catch (error) {
      interrupted.throwIfAborted();
      throw failureOf(image.written, "the download broke off", error);
    }
    if (this.#skip > 0 || (this.#total !== undefined && this.#offset < this.#total)) throw this.#brokeOff("the connection ended early");
    return undefined;
  }

  /** Only the time counts in which we waited for the server: our reader may be slow, too. */
  #checkPace(seconds: number, bytes: number): void {
    this.#slow = { seconds: this.#slow.seconds + seconds, bytes: this.#slow.bytes + bytes };
    const { seconds: waited, bytes: came } = this.#slow;
    if (came >= slowest) this.#slow = { seconds: 0, bytes: 0 };
    else if (waited > this.#origin.readTimeout) throw this.#brokeOff(`only ${came} bytes came in ${waited.toFixed(1)} s`);
  }

  #withoutKnown(chunk: Buffer): Buffer {
    const known = Math.min(this.#skip, chunk.length);
    this.#skip -= known;
    return chunk.subarray(known);
  }

  /** Gets an answer with the rest, after a failure that may pass. */
  async #resume(failure: unknown): Promise<void> {
    const { image, ask, interrupted, report } = this.#origin;
    if (this.#offset - this.#failedAt >= progress) this.#retries.reset();
    this.#failedAt = this.#offset;
    this.#slow = { seconds: 0, bytes: 0 };
    for (let error = failure; ; ) {
      discard(this.#response);
      await this.#retries.pause(error);
      try {
        this.#take(await ask(this.#rangeHeaders(), interrupted));
        return report({ kind: "detail", text: `${image.written}: goes on at ${this.#position()}` });
      } catch (again) {
        error = again;
      }
    }
  }

  /** If-Range: the whole, if it has changed. */
  #rangeHeaders(): Readonly<Record<string, string>> {
    const { digest, etag, modified } = this.#identity;
    if ((digest ?? etag ?? modified) === undefined)
      throw this.#changed("the server says nothing that tells whether the rest belongs to it");
    if (this.#offset === 0) return {};
    const unless = etag ?? modified;
    return { range: `bytes=${this.#offset}-`, ...(unless === undefined ? {} : { "if-range": unless }) };
  }

  /** Goes on with an answer, if it certainly has the rest of the same content. */
  #take(response: Answer): void {
    // Whatever is wrong with it, it is closed with us, or by the next failure.
    this.#response = response;
    const { headers, statusCode } = response;
    const { first, whole } = this.#partOf(response);
    const identity = identityOf(headers);
    const same = statusCode === 416 ? !differ(this.#identity, identity) : sameBytes(this.#identity, identity);
    if (!same) throw this.#changed("the server has other content by now");
    if (this.#total !== undefined && whole !== undefined && whole !== this.#total)
      throw this.#changed(`it was announced with ${this.#total} bytes, and now with ${whole}`);
    if (first === undefined || (statusCode !== 200 && first !== this.#offset)) {
      const range = JSON.stringify(header(headers, "content-range") ?? "");
      throw this.#changed(`the answer to the request for its rest does not fit: HTTP status ${statusCode}, Content-Range ${range}`);
    }
    this.#total ??= whole;
    this.#skip = this.#offset - first;
    this.#chunks = statusCode === 416 ? nothing() : chunksOf(response);
  }

  /** Where an answer begins, and how long the whole is, as far as it tells. */
  #partOf(response: Answer): { readonly first: number | undefined; readonly whole: number | undefined } {
    const range = header(response.headers, "content-range");
    switch (response.statusCode) {
      case 200:
        return { first: 0, whole: lengthOf(response) };
      case 206:
        return { first: contentRange(range)?.first, whole: contentRange(range)?.total };
      case 416: {
        // Right for the part behind the last byte: nothing was missing but the end. Some servers then say nothing else of the content.
        const whole = unsatisfiedLength(range);
        return { first: whole, whole };
      }
      default:
        throw refused(this.#origin.image, "GET", response);
    }
  }

  #brokeOff(why: string): TransientError {
    return new TransientError(this.#origin.image.written, `the download broke off: ${why}`);
  }

  #position(): string {
    return this.#total === undefined ? `${this.#offset} bytes` : `${this.#offset} of ${this.#total} bytes`;
  }

  #changed(why: string): ChangedError {
    return new ChangedError(this.#origin.image.written, `the download broke off at ${this.#position()} and cannot go on: ${why}`);
  }
}

function chunksOf({ body }: Answer): AsyncIterator<Buffer> {
  return body[Symbol.asyncIterator]();
}

async function* nothing(): AsyncGenerator<Buffer> {
  // A part behind the end.
}
