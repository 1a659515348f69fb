import { NspawnError, TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Connections } from "./connections.js";
import { failureOf } from "./failure.js";
import { header } from "./freshness.js";
import { type Request, type Response, request } from "./request.js";
import type { Route } from "./route.js";

/** An answer. `redirectedTo`: the URL that it is from, without what may be a secret in it; undefined: that of the image. */
export type Answer = Response & { readonly redirectedTo: string | undefined };

/** How a server is asked. `readTimeout`: seconds to wait for the head of an answer, and for each further part of its body. */
export type Access = {
  readonly connections: Connections;
  readonly route: (url: URL) => Route;
  readonly readTimeout: number;
};

/** What is asked. `signal` ends it, also while the body of the answer is read. */
export type Ask = Pick<Request, "method" | "body" | "signal"> & { readonly headers?: Request["headers"] };

const maxRedirects = 10;

/**
 * Asks for an image, and follows redirects, but for PUT. The answer may have any status.
 * @throws TransferError, a TransientError if it may pass; the reason of `signal`
 */
export async function exchange(access: Access, image: ImageRef, ask: Ask): Promise<Answer> {
  const passed: string[] = [];
  for (let url = new URL(image.url); ; ) {
    passed.push(url.href);
    const redirectedTo = passed.length > 1 ? shown(url) : undefined;
    const response = await askServer(access, image, url, ask, redirectedTo);
    const location = header(response.headers, "location");
    if (ask.method === "PUT" || location === undefined || !redirects.has(response.statusCode)) return { ...response, redirectedTo };
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
  body.destroy();
}

async function askServer(
  { connections, route, readTimeout }: Access,
  image: ImageRef,
  url: URL,
  { signal, ...ask }: Ask,
  redirectedTo: string | undefined,
): Promise<Response> {
  const { origin, authorization, trust } = route(url);
  const target = new URL(origin);
  target.pathname = url.pathname;
  target.search = url.search;
  const headers = {
    host: target.host,
    // An archive is compressed as it is, and its digest is that of these bytes.
    "accept-encoding": "identity",
    ...ask.headers,
    ...(authorization === undefined ? {} : { authorization }),
  };
  signal.throwIfAborted();
  try {
    const connection = await connections.open(target, trust, signal);
    return await request(connection, { ...ask, headers, signal, timeout: readTimeout * 1000 });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NspawnError) throw error;
    const what = redirectedTo === undefined ? `${ask.method} failed` : `${ask.method} failed, redirected to ${redirectedTo}`;
    throw failureOf(image.written, what, error, url.href);
  }
}

function redirected(image: ImageRef, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new TransferError(image.written, `${shown(from)} redirects to what is no URL`);
  const to = new URL(location, from);
  to.username = "";
  to.password = "";
  to.hash = "";
  if (to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:")) return to;
  const what = `${shown(from)} redirects to ${shown(to)}`;
  if (to.protocol === "http:") {
    throw new TransferError(image.written, `${what}: from https: only https: is followed`, {
      hint: "without TLS, anybody on the way could replace the image: the server has to redirect to https:",
    });
  }
  throw new TransferError(image.written, `${what}: only http: and https: are followed`, {
    hint: "the server has to redirect to a URL of these, or the image needs another URL",
  });
}

/** A URL for people: what follows the path may be a signature that is worth as much as a login. */
function shown({ protocol, host, pathname, search }: URL): string {
  return `${protocol}//${host}${pathname}${search === "" ? "" : "?…"}`;
}
