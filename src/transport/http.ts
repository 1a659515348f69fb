import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import { type Access, type Answer, type Ask, discard, exchange } from "./exchange.js";
import { TransientError } from "./failure.js";
import { header, sha256Of, validatorsOf } from "./freshness.js";
import { metered } from "./meter.js";
import { lengthOf, resumable } from "./resume.js";
import { type Persistence, retried } from "./retry.js";
import { checkStatus, refused } from "./status.js";
import type { Download, Haste, Transport, Upload, Validators } from "./transport.js";

/** `http:` and `https:` URLs of one host. What fails for a moment is tried again. */
export class HttpTransport implements Transport {
  readonly #access: Access;
  readonly #persistence: Persistence;

  constructor(access: Access, persistence: Persistence) {
    this.#access = access;
    this.#persistence = persistence;
  }

  async probe(image: ImageRef, haste?: Haste): Promise<Validators> {
    return retried(this.#hurried(haste), async () => {
      const response = await this.#ask(image, { method: "HEAD" });
      // Some servers know no HEAD; then nothing is known before the download.
      if (response.statusCode === 405 || response.statusCode === 501) return {};
      checkStatus(image, "HEAD", response);
      return validatorsOf(response.headers);
    });
  }

  async get(image: ImageRef, haste?: Haste): Promise<Download> {
    const persistence = this.#hurried(haste);
    const ask = async (headers: Ask["headers"] = {}, signal = persistence.interrupted): Promise<Answer> => {
      const response = await this.#ask(image, { method: "GET", headers, signal });
      checkEncoding(image, response);
      return response;
    };
    const response = await retried(persistence, async () => {
      const first = await ask();
      // 204 has no content, 206 only a part of it.
      if (first.statusCode === 200 || first.statusCode === 203) return first;
      discard(first);
      throw refused(image, "GET", first);
    });
    const body = resumable(response, { ...persistence, image, ask, readTimeout: this.#access.readTimeout });
    return { body, bytes: lengthOf(response), validators: validatorsOf(response.headers) };
  }

  async put(image: ImageRef, upload: Upload): Promise<void> {
    await retried(this.#persistence, async () => {
      await this.#send(image, upload);
      await this.#verify(image, upload);
    });
  }

  async #send(image: ImageRef, upload: Upload): Promise<void> {
    const answer = await this.#sendOnce(image, upload, upload.bytes >= large);
    // 417: it wants the body without being asked.
    checkStatus(image, "PUT", answer.statusCode === 417 ? await this.#sendOnce(image, upload, false) : answer);
  }

  /** @param ask whether the server is asked first if it takes the upload, so that one that does not is not sent all of it */
  async #sendOnce(image: ImageRef, { path, bytes, digest }: Upload, ask: boolean): Promise<Answer> {
    const { report } = this.#persistence;
    const file = createReadStream(path, { highWaterMark: 1 << 18 });
    const body = Readable.from(metered(file, { url: image.written, direction: "up", total: bytes }, report));
    const headers = {
      "content-length": String(bytes),
      "content-type": "application/octet-stream",
      "nspawn-digest": digest,
      ...(ask ? { expect: "100-continue" } : {}),
    };
    try {
      const answer = await this.#ask(image, { method: "PUT", headers, body });
      discard(answer);
      return answer;
    } finally {
      body.destroy();
      file.destroy();
    }
  }

  /** Whether the server has now what was sent, as far as it tells. */
  async #verify(image: ImageRef, { bytes, digest }: Upload): Promise<void> {
    // A cache on the way may know what was there before.
    const response = await this.#ask(image, { method: "HEAD", headers: { "cache-control": "no-cache" } });
    const { statusCode, headers } = response;
    if (statusCode === 403 || statusCode === 405 || statusCode === 501) {
      const text = `${image.written}: the server took the upload, and does not say what it has now: HTTP status ${statusCode} to HEAD`;
      return this.#persistence.report({ kind: "detail", text });
    }
    const wrong = (what: string): TransientError => new TransientError(image.written, `after the upload, ${what}`);
    if (statusCode === 404) throw wrong("the server says that there is nothing (HTTP status 404)");
    checkStatus(image, "HEAD", response);
    const length = header(headers, "content-encoding") === undefined ? lengthOf(response) : undefined;
    if (length !== undefined && length !== bytes) throw wrong(`the server has ${length} bytes, not ${bytes}`);
    const named = sha256Of(validatorsOf(headers));
    if (named !== undefined && named !== digest) throw wrong(`the server has the digest ${named}, not ${digest}`);
  }

  async #ask(image: ImageRef, ask: Omit<Ask, "signal"> & Partial<Pick<Ask, "signal">>): Promise<Answer> {
    const response = await exchange(this.#access, image, { signal: this.#persistence.interrupted, ...ask });
    if (ask.method === "HEAD") discard(response);
    return response;
  }

  #hurried(haste: Haste | undefined): Persistence {
    if (!haste?.once) return this.#persistence;
    return { ...this.#persistence, patience: { ...this.#persistence.patience, tries: 1 } };
  }
}

/** Endings of archives by the encodings that servers take them for. */
const encodings: Readonly<Record<string, RegExp>> = {
  gzip: /\.t?gz$/,
  "x-gzip": /\.t?gz$/,
  xz: /\.t?xz$/,
  "x-xz": /\.t?xz$/,
  zstd: /\.(tar\.|t)?zst$/,
};

/** Some servers name an archive's own compression as an encoding; one that they made themselves would be another archive. */
function checkEncoding(image: ImageRef, response: Answer): void {
  const encoding = header(response.headers, "content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "" || encodings[encoding]?.test(new URL(image.url).pathname)) return;
  // What comes with another status is no archive anyway.
  if (response.statusCode < 200 || response.statusCode >= 300) return;
  discard(response);
  throw new TransferError(image.written, `the server sends it with the encoding ${JSON.stringify(encoding)}, though it was asked not to`, {
    hint: "switch off the compression of archives on the server",
  });
}

/** An upload of so many bytes is worth asking first: as curl has it. */
const large = 1 << 20;
