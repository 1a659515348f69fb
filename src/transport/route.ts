import type { Auth, Trust } from "../config/config.js";

/** Where a request goes: scheme, host and port that are asked, the login for them, and whose certificates are good there. */
export type Route = { readonly origin: string; readonly authorization: string | undefined; readonly trust: Trust };

/**
 * Sends what is asked of an image's own server to where that really is, with the login for it. All other servers, which a redirect may
 * lead to, are asked as they are and get no login: neither another host, nor another port, nor the same host without TLS.
 * @param own URL of the image
 * @param trustIn whose certificates are good for the host of a URL
 */
export function router(own: URL, auth: Auth | undefined, trustIn: (url: URL) => Trust): (url: URL) => Route {
  const real = auth ? realOrigin(own, auth) : own.origin;
  const authorization = auth && authorizationOf(auth);
  return (url) => {
    // The server may know itself by its real name.
    if (url.origin !== own.origin && url.origin !== real) return { origin: url.origin, authorization: undefined, trust: trustIn(url) };
    return { origin: real, authorization, trust: trustIn(own) };
  };
}

/** Scheme, host and port that are asked for a URL. */
function realOrigin(url: URL, { host, port }: Auth): string {
  const real = new URL(url.origin);
  if (host !== undefined) real.hostname = host;
  if (port !== undefined) real.port = String(port);
  return real.origin;
}

function authorizationOf({ login }: Auth): string | undefined {
  switch (login.kind) {
    case "empty":
      return undefined;
    case "basic":
      return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
    case "token":
      return `Bearer ${login.token}`;
  }
}
