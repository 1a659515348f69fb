import type { Readable } from "node:stream";
import { type Dispatcher, request } from "undici";
import { NspawnError, TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Connections } from "./connections.js";
import { failureOf } from "./failure.js";
import { header } from "./freshness.js";
import type { Route } from "./route.js";

export type Response = Dispatcher.ResponseData;

/** How a server is asked. `readTimeout`: seconds to wait for the head of an answer, and for each further part of its body. */
export type Access = {
  readonly connections: Connections;
  readonly route: (url: URL) => Route;
  readonly readTimeout: number;
};

/** What is asked. `signal` ends it, also while the body of the answer is read. */
export type Ask = {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal: AbortSignal;
};

const maxRedirects = 10;

/**
 * Asks for an image, and follows redirects, but for PUT. The answer may have any status.
 * @throws TransferError, a TransientError if it may pass; the reason of `signal`
 */
export async function exchange(access: Access, image: ImageRef, ask: Ask): Promise<Response> {
  const passed: string[] = [];
  for (let url = new URL(image.url); ; ) {
    passed.push(url.href);
    const response = await askServer(access, image, url, ask);
    const location = header(response.headers, "location");
    if (ask.method === "PUT" || location === undefined || !redirects.has(response.statusCode)) return response;
    discard(response);
    const next = redirected(image, url, location);
    if (passed.includes(next.href))
      throw new TransferError(image.written, `redirects go in a circle: ${passed.length} to ${shown(next)} again`);
    if (passed.length > maxRedirects)
      throw new TransferError(image.written, `more than ${maxRedirects} redirects, the last one to ${shown(next)}`);
    url = next;
  }
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Gives up an answer without reading it: that would take as long as the server likes. */
export function discard({ body }: Response): void {
  body.on("error", () => undefined).destroy();
}

async function askServer({ connections, route, readTimeout }: Access, image: ImageRef, url: URL, ask: Ask): Promise<Response> {
  const { method, signal, body = null } = ask;
  const { origin, authorization, trust } = route(url);
  const target = new URL(origin);
  target.pathname = url.pathname;
  target.search = url.search;
  const timeout = readTimeout * 1000;
  const headers = {
    // An archive is compressed as it is, and its digest is that of these bytes.
    "accept-encoding": "identity",
    ...ask.headers,
    ...(authorization === undefined ? {} : { authorization }),
  };
  signal.throwIfAborted();
  try {
    const dispatcher = connections.for(target, trust);
    return await request(target, { method, dispatcher, headers, body, signal, headersTimeout: timeout, bodyTimeout: timeout });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NspawnError) throw error;
    throw failureOf(image.written, `${method} failed`, error);
  }
}

function redirected(image: ImageRef, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new TransferError(image.written, `${shown(from)} redirects to what is no URL`);
  const to = new URL(location, from);
  to.username = "";
  to.password = "";
  to.hash = "";
  if (to.protocol !== "https:" && to.protocol !== from.protocol) {
    throw new TransferError(image.written, `${shown(from)} redirects to ${shown(to)}: from ${from.protocol} only https: is followed`, {
      hint: "without TLS, anybody on the way could replace the image: the server has to redirect to https:",
    });
  }
  return to;
}

/** A URL for people: what follows the path may be a signature that is worth as much as a login. */
function shown({ origin, protocol, pathname, search }: URL): string {
  return `${origin === "null" ? `${protocol}//` : origin}${pathname}${search === "" ? "" : "?…"}`;
}
