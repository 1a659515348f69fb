import { createReadStream } from "node:fs";
import { STATUS_CODES } from "node:http";
import type { Readable } from "node:stream";
import { type Dispatcher, interceptors, request } from "undici";
import { messageOf, TransferError } from "../base/errors.js";
import type { Auth } from "../config/config.js";
import type { ImageRef } from "../plan/image-ref.js";
import { loginFor } from "./login.js";
import type { Download, Transport, Upload, Validators } from "./transport.js";

type Response = Dispatcher.ResponseData;

export type HttpOptions = {
  readonly dispatcher: Dispatcher;
  /** How the images' host is reached, undefined: as the URLs say. */
  readonly auth: Auth | undefined;
  /** Seconds to wait for the answer's head, and for each further part of its body. */
  readonly readTimeout: number;
};

/** `http:` and `https:` URLs of one host. Certificates are always verified. */
export class HttpTransport implements Transport {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async probe(image: ImageRef): Promise<Validators> {
    const response = await this.#ask(image, "HEAD");
    await response.body.dump();
    // Some servers know no HEAD; then nothing is known before the download.
    if (response.statusCode === 405 || response.statusCode === 501) return {};
    check(image, "HEAD", response);
    return validators(response);
  }

  async get(image: ImageRef): Promise<Download> {
    const response = await this.#ask(image, "GET");
    // 204 has no content, 206 only a part of it.
    if (response.statusCode !== 200 && response.statusCode !== 203) {
      await response.body.dump();
      throw refused(image, "GET", response);
    }
    const length = Number(header(response, "content-length") ?? Number.NaN);
    return { body: response.body as Readable, bytes: Number.isNaN(length) ? undefined : length, validators: validators(response) };
  }

  async put(image: ImageRef, { path, bytes }: Upload): Promise<void> {
    const response = await this.#ask(image, "PUT", { body: createReadStream(path), headers: { "content-length": String(bytes) } });
    await response.body.dump();
    check(image, "PUT", response);
  }

  async #ask(
    image: ImageRef,
    method: Dispatcher.HttpMethod,
    extra: { readonly body?: Readable; readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const { dispatcher, auth, readTimeout } = this.#options;
    const login = auth ? [loginFor(new URL(image.url), auth)] : [];
    // The outermost comes last: each request that a redirect leads to passes through the login again.
    const redirect = method === "PUT" ? [] : [interceptors.redirect({ maxRedirections: 10 })];
    const timeouts = { headersTimeout: readTimeout * 1000, bodyTimeout: readTimeout * 1000 };
    try {
      return await request(image.url, { method, dispatcher: dispatcher.compose(...login, ...redirect), ...timeouts, ...extra });
    } catch (error) {
      throw new TransferError(image.written, `${method} failed: ${causeOf(error)}`, { cause: error });
    }
  }
}

function check(image: ImageRef, method: string, response: Response): void {
  if (response.statusCode < 200 || response.statusCode >= 300) throw refused(image, method, response);
}

function refused(image: ImageRef, method: string, { statusCode }: Response): TransferError {
  return new TransferError(image.written, `HTTP status ${statusCode} ${STATUS_CODES[statusCode] ?? ""} to ${method}`.replace("  ", " "), {
    status: statusCode,
    hint: hintFor(image, statusCode),
  });
}

function hintFor(image: ImageRef, status: number): string | undefined {
  if (status === 404) return "check the URL, or build and push the image first";
  if (status === 401 || status === 403) return `check the login in [auth/${new URL(image.url).hostname}] of the configuration`;
  return status === 407 ? "check the login in the URL of the proxy, http://USER:PASSWORD@HOST:PORT" : undefined;
}

/** In the order of trust: the digest that the server names, its ETag, or its date and length together. */
function validators(response: Response): Validators {
  const digest = header(response, "nspawn-digest");
  if (digest !== undefined) return { digest };
  const etag = header(response, "etag");
  if (etag !== undefined) return { etag };
  const modified = header(response, "last-modified");
  const length = header(response, "content-length");
  return modified !== undefined && length !== undefined ? { modified, length } : {};
}

function header(response: Response, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What went wrong, without the library's own words for it. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors[0]) return messageOf(error.errors[0]);
  return messageOf(error);
}
