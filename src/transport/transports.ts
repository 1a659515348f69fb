import type { Dispatcher } from "undici";
import type { Report } from "../base/events.js";
import type { Auth, Config } from "../config/config.js";
import type { Environment } from "../config/expand.js";
import type { ImageRef } from "../plan/image-ref.js";
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
  readonly #warned = new Set<string>();
  #proxies: Promise<Proxies> | undefined;
  #dispatcher: Promise<Dispatcher> | undefined;

  /** @param environment where proxies may be named */
  constructor(config: Pick<Config, "auth" | "network" | "proxy">, environment: Environment, report: Report) {
    this.#config = config;
    this.#environment = environment;
    this.#report = report;
  }

  async for(image: ImageRef): Promise<Transport> {
    if (image.scheme === "file") return (await import("./file.js")).fileTransport;
    const { HttpTransport } = await import("./http.js");
    const url = new URL(image.url);
    const auth = this.#config.auth.get(url.hostname);
    if (auth) this.#warnOfPlainLogin(url, auth);
    this.#dispatcher ??= this.#makeDispatcher();
    return new HttpTransport({ dispatcher: await this.#dispatcher, auth, readTimeout: this.#config.network.readTimeout });
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

  async #makeDispatcher(): Promise<Dispatcher> {
    const [{ dispatcherFor }, proxies] = await Promise.all([import("./dispatcher.js"), this.hostProxies()]);
    return dispatcherFor(proxies, this.#config.network.connectTimeout);
  }

  #warnOfPlainLogin(url: URL, { host, login }: Auth): void {
    const real = host ?? url.hostname;
    if (url.protocol !== "http:" || login.kind === "empty" || isLoopback(real) || this.#warned.has(url.hostname)) return;
    this.#warned.add(url.hostname);
    this.#report({
      kind: "warning",
      text: `the login for ${url.hostname} goes over the network in the clear: ${url.origin} is no https: URL`,
    });
  }
}
