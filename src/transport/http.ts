import { createReadStream } from "node:fs";
import { STATUS_CODES } from "node:http";
import type { Readable } from "node:stream";
import { Agent, type Dispatcher, interceptors, request } from "undici";
import { messageOf, TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Transport, Validators } from "./transport.js";

type Response = Dispatcher.ResponseData;

/** Times in milliseconds: to get a connection, the answer's head, and each further part of its body. */
const timeouts = { connect: 15_000, headers: 60_000, body: 60_000 };

/** `http:` and `https:` URLs. Certificates are always verified. */
export const httpTransport: Transport = {
  async probe(image) {
    const response = await ask(image, "HEAD");
    await response.body.dump();
    // Some servers know no HEAD; then nothing is known before the download.
    if (response.statusCode === 405 || response.statusCode === 501) return {};
    check(image, "HEAD", response);
    return validators(response);
  },
  async get(image) {
    const response = await ask(image, "GET");
    // 204 has no content, 206 only a part of it.
    if (response.statusCode !== 200 && response.statusCode !== 203) {
      await response.body.dump();
      throw refused(image, "GET", response);
    }
    const length = Number(header(response, "content-length") ?? Number.NaN);
    return { body: response.body as Readable, bytes: Number.isNaN(length) ? undefined : length, validators: validators(response) };
  },
  async put(image, { path, bytes }) {
    const response = await ask(image, "PUT", { body: createReadStream(path), headers: { "content-length": String(bytes) } });
    await response.body.dump();
    check(image, "PUT", response);
  },
};

async function ask(
  image: ImageRef,
  method: Dispatcher.HttpMethod,
  extra: { body?: Readable; headers?: Record<string, string> } = {},
): Promise<Response> {
  try {
    const redirect = method === "PUT" ? [] : [interceptors.redirect({ maxRedirections: 10 })];
    return await request(image.url, { method, dispatcher: agent().compose(...redirect), ...extra });
  } catch (error) {
    throw new TransferError(image.written, `${method} failed: ${causeOf(error)}`, { cause: error });
  }
}

let shared: Agent | undefined;

function agent(): Agent {
  shared ??= new Agent({
    connect: { timeout: timeouts.connect },
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body,
    keepAliveTimeout: 100,
  });
  return shared;
}

function check(image: ImageRef, method: string, response: Response): void {
  if (response.statusCode < 200 || response.statusCode >= 300) throw refused(image, method, response);
}

function refused(image: ImageRef, method: string, { statusCode }: Response): TransferError {
  const hint = statusCode === 404 ? "check the URL, or build and push the image first" : undefined;
  return new TransferError(image.written, `HTTP status ${statusCode} ${STATUS_CODES[statusCode] ?? ""} to ${method}`.replace("  ", " "), {
    status: statusCode,
    hint,
  });
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
