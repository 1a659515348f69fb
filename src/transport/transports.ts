import { setMaxListeners } from "node:events";
import { NspawnError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import type { Auth, Config, Trust } from "../config/config.js";
import type { Environment } from "../config/expand.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Connections } from "./connections.js";
import { isLoopback } from "./loopback.js";
import type { Proxies } from "./proxy.js";
import type { Transport } from "./transport.js";

/**
 * The transports of one command, by the configuration: its proxies are looked for once, and a warning comes once for each host.
 * What a transport needs is loaded when it is first asked for.
 */
export class Transports {
  readonly #config: Pick<Config, "auth" | "network" | "proxy">;
  readonly #environment: Environment;
  readonly #report: Report;
  readonly #interrupted: AbortSignal;
  readonly #warned = new Set<string>();
  #proxies: Promise<Proxies> | undefined;
  #connections: Promise<Connections> | undefined;

  /**
   * @param environment where proxies may be named
   * @param interrupted ends requests, and pauses between tries
   */
  constructor(config: Pick<Config, "auth" | "network" | "proxy">, environment: Environment, report: Report, interrupted: AbortSignal) {
    this.#config = config;
    this.#environment = environment;
    this.#report = report;
    this.#interrupted = interrupted;
    // As many requests wait for it as there are images: to Node, more than ten look like a leak, of which it warns.
    setMaxListeners(0, interrupted);
  }

  /** @throws NspawnError for a login that would go in the clear */
  async for(image: ImageRef): Promise<Transport> {
    if (image.scheme === "file") return (await import("./file.js")).fileTransport;
    const [{ HttpTransport }, { router }] = await Promise.all([import("./http.js"), import("./route.js")]);
    const url = new URL(image.url);
    const auth = this.#config.auth.get(url.hostname);
    if (auth) this.#checkPlainLogin(url, auth);
    this.#connections ??= this.#openConnections();
    const { network } = this.#config;
    return new HttpTransport(
      { connections: await this.#connections, route: router(url, auth, (hop) => this.#trustIn(hop)), readTimeout: network.readTimeout },
      { patience: network, report: this.#report, interrupted: this.#interrupted },
    );
  }

  /** The proxies for downloads and uploads, by whatever program: none unless `use_host_proxy` is set. */
  hostProxies(): Promise<Proxies> {
    return this.#proxiesIf(this.#config.proxy.useHostProxy);
  }

  /** The proxies for commands of a build: none unless `use_machine_proxy` is set. */
  machineProxies(): Promise<Proxies> {
    return this.#proxiesIf(this.#config.proxy.useMachineProxy);
  }

  async #proxiesIf(wanted: boolean): Promise<Proxies> {
    const { findProxies, noProxies } = await import("./proxy.js");
    if (!wanted) return noProxies;
    this.#proxies ??= findProxies(this.#config.proxy, this.#environment, (text) => this.#report({ kind: "warning", text }));
    return this.#proxies;
  }

  async #openConnections(): Promise<Connections> {
    const [{ Connections }, proxies] = await Promise.all([import("./connections.js"), this.hostProxies()]);
    return new Connections(proxies, this.#config.network.connectTimeout, this.#environment.NODE_EXTRA_CA_CERTS);
  }

  #trustIn({ hostname, protocol }: URL): Trust {
    const trust = this.#config.auth.get(hostname)?.trust ?? { kind: "system" };
    if (trust.kind === "insecure" && protocol === "https:") {
      this.#warnOnce(`insecure ${hostname}`, `the certificate of ${hostname} is not verified: [auth/${hostname}] has insecure = yes`);
    }
    return trust;
  }

  /**
   * An image from anywhere may name a parent by http: on a host that a login is for: sent there, everybody on the way could read it. So it
   * goes in the clear only where the configuration says so.
   */
  #checkPlainLogin(url: URL, { host, login, trust }: Auth): void {
    const real = host ?? url.hostname;
    if (url.protocol !== "http:" || login.kind === "empty" || isLoopback(real)) return;
    const text = `the login for ${url.hostname} goes over the network in the clear: ${url.origin} is no https: URL`;
    if (trust.kind !== "insecure") {
      throw new NspawnError(text.replace("goes", "would go"), {
        hint: `take an https: URL; or allow it, by insecure = yes in [auth/${url.hostname}] of the configuration`,
      });
    }
    this.#warnOnce(`plain ${url.hostname}`, text);
  }

  #warnOnce(key: string, text: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#report({ kind: "warning", text });
  }
}
