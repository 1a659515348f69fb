import type { Socket } from "node:net";
import type { Trust } from "../config/config.js";
import { isDirect, type Proxies } from "./proxy.js";
import { openSocket, openTunnel } from "./socket.js";
import { Tap } from "./tap.js";
import { type TlsTrust, tlsTrust } from "./trust.js";

/**
 * A connection for one request. `tap`: takes what comes, where that is possible; `target`: what the request names, its path or, to a proxy, the whole
 * URL; `headers`: those for a proxy.
 */
export type Connection = {
  readonly socket: Socket;
  readonly tap: Tap | undefined;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * Opens connections, one for each request: few images come from one server, and none is shared by those who trust different
 * certificates. Each goes through the proxy for it, if there is one: to TLS servers through a tunnel (CONNECT), to others as a request for
 * the whole URL, which is what proxies allow.
 */
export class Connections {
  readonly #proxies: Proxies;
  readonly #timeout: number;
  readonly #extraCas: string | undefined;
  readonly #trusts = new Map<string, TlsTrust>();

  /**
   * @param connectTimeout in seconds, to take a connection, and for a proxy to open a tunnel
   * @param extraCas a file with certificates of more CAs
   */
  constructor(proxies: Proxies, connectTimeout: number, extraCas?: string) {
    this.#proxies = proxies;
    this.#timeout = connectTimeout * 1000;
    this.#extraCas = extraCas;
  }

  /** @throws NspawnError for a CA file that cannot be used; what `failureOf` knows */
  async open(url: URL, trust: Trust, signal: AbortSignal): Promise<Connection> {
    const tls = this.#tls(url, trust);
    const limits = { timeout: this.#timeout, signal };
    const path = `${url.pathname}${url.search}`;
    const { http, https, noProxy } = this.#proxies;
    const proxy = isDirect(url, noProxy) ? undefined : tls ? https : http;
    // The connection in a tunnel reads the outer one itself.
    const tap = proxy && tls ? undefined : new Tap({ tls: (proxy ?? url).protocol === "https:" });
    if (!proxy) return { socket: await openSocket(url, tls, limits, tap), tap, target: path, headers: {} };
    const socket = await openSocket(proxy, this.#tls(proxy, { kind: "system" }), limits, tap);
    if (!tls) return { socket, tap, target: `${url.origin}${path}`, headers: loginOf(proxy) };
    return { socket: await openTunnel(socket, url, loginOf(proxy), tls, limits), tap, target: path, headers: {} };
  }

  #tls({ protocol }: URL, trust: Trust): TlsTrust | undefined {
    if (protocol !== "https:") return undefined;
    const key = JSON.stringify(trust);
    const known = this.#trusts.get(key) ?? tlsTrust(trust, this.#extraCas);
    this.#trusts.set(key, known);
    return known;
  }
}

function loginOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const login = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");
  return { "proxy-authorization": `Basic ${login}` };
}

/** Where a `%` in a login means itself, it stays. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
