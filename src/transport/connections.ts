import { Agent, type Dispatcher, Pool, ProxyAgent } from "undici";
import type { Trust } from "../config/config.js";
import { isDirect, type Proxies } from "./proxy.js";
import { type TlsTrust, tlsTrust } from "./trust.js";

/**
 * The connections of one command. Each request goes through the proxy for it, if there is one: to TLS servers through a tunnel
 * (CONNECT), to others as a request for the whole URL, which is what proxies allow.
 */
export class Connections {
  readonly #proxies: Proxies;
  readonly #connectTimeout: number;
  readonly #extraCas: string | undefined;
  readonly #dispatchers = new Map<string, Dispatcher>();
  readonly #trusts = new Map<string, TlsTrust>();

  /**
   * @param connectTimeout in seconds, to take a connection
   * @param extraCas a file with certificates of more CAs
   */
  constructor(proxies: Proxies, connectTimeout: number, extraCas?: string) {
    this.#proxies = proxies;
    this.#connectTimeout = connectTimeout;
    this.#extraCas = extraCas;
  }

  /** What sends requests to the server of a URL. Throws NspawnError for a CA file that cannot be used. */
  for(url: URL, trust: Trust): Dispatcher {
    const isTls = url.protocol === "https:";
    const { http, https, noProxy } = this.#proxies;
    const proxy = isDirect(url, noProxy) ? undefined : isTls ? https : http;
    const key = `${proxy?.href ?? ""} ${isTls ? JSON.stringify(trust) : ""}`;
    return memoized(this.#dispatchers, key, () => this.#dispatcher(proxy, isTls ? trust : undefined));
  }

  /** @param trust undefined: without TLS */
  #dispatcher(proxy: URL | undefined, trust: Trust | undefined): Dispatcher {
    const timeout = this.#connectTimeout * 1000;
    const connect = { timeout, ...(trust && this.#tls(trust)) };
    // Few images come from one server: its connection is not kept for the next.
    const common = { connect, keepAliveTimeout: 100 };
    if (!proxy) return new Agent(common);
    return new ProxyAgent({
      ...common,
      uri: proxy.href,
      proxyTunnel: false,
      requestTls: connect,
      proxyTls: { timeout, ...(proxy.protocol === "https:" ? this.#tls({ kind: "system" }) : {}) },
      // A proxy that says nothing to CONNECT is as good as a server that takes no connection.
      clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: timeout }),
    });
  }

  #tls(trust: Trust): TlsTrust {
    return memoized(this.#trusts, JSON.stringify(trust), () => tlsTrust(trust, this.#extraCas));
  }
}

function memoized<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
