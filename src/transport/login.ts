import type { Dispatcher } from "undici";
import type { Auth } from "../config/config.js";

type Intercept = Dispatcher.DispatcherComposeInterceptor;
type Headers = Dispatcher.DispatchOptions["headers"];

/**
 * Sends what is asked of an image's own server to where that really is, with the login for it. All other servers, which a redirect may
 * lead to, are asked as they are and get no login: neither another host, nor another port, nor the same host without TLS.
 * @param url of the image
 */
export function loginFor(url: URL, auth: Auth): Intercept {
  const real = realOrigin(url, auth);
  const authorization = authorizationOf(auth);
  return (dispatch) => (options, handler) => {
    const { origin } = new URL(String(options.origin));
    // The server may know itself by its real name.
    if (origin !== url.origin && origin !== real) return dispatch(options, handler);
    const headers = authorization === undefined ? options.headers : withAuthorization(options.headers, authorization);
    return dispatch({ ...options, origin: real, headers: headers ?? null }, handler);
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

/** undici passes headers on as a record, or as a list of names and values in turn. */
function withAuthorization(headers: Headers, value: string): Headers {
  if (Array.isArray(headers)) return [...headers, "authorization", value];
  return { ...(headers as Readonly<Record<string, string>> | null | undefined), authorization: value };
}
