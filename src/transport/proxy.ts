import { BlockList, connect, isIP } from "node:net";
import type { Config } from "../config/config.js";
import type { Environment } from "../config/expand.js";
import type { ProxyVariables } from "../config/schema.js";
import { proxyUrl } from "../config/values.js";
import { isLoopback } from "./loopback.js";

/** The proxies that work, by the protocol they are for, and for whom none is used: names of hosts, separated by commas. */
export type Proxies = { readonly http: URL | undefined; readonly https: URL | undefined; readonly noProxy: string };

export const noProxies: Proxies = { http: undefined, https: undefined, noProxy: "" };

/**
 * Finds the proxies of `[proxy]`: of each protocol the first in the order of `proxy_check_list` that takes a connection.
 * @param onUnusable gets a text for each that does not, without its login
 */
export async function findProxies(config: Config["proxy"], environment: Environment, onUnusable: (text: string) => void): Promise<Proxies> {
  const named = config.proxyCheckList.some((source) => source !== "config") ? fromEnvironment(environment, onUnusable) : {};
  const bySource = { user: named, root: named, config: config.proxyConfigText };
  const sources = config.proxyCheckList.map((source) => bySource[source]);
  const works = memoized((text: string) => takesConnections(text, config.socketTimeout, onUnusable));
  const [http, https] = await Promise.all((["http_proxy", "https_proxy"] as const).map((name) => firstWorking(sources, name, works)));
  return { http, https, noProxy: sources.findLast(({ no_proxy }) => no_proxy)?.no_proxy ?? "" };
}

/** Proxies as programs look for them in their environment: `http_proxy`, and `HTTP_PROXY` too. They may hold a login. */
export function proxyVariables({ http, https, noProxy }: Proxies): Readonly<Record<string, string>> {
  const named = { http_proxy: http?.href, https_proxy: https?.href, no_proxy: http || https ? noProxy || undefined : undefined };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [
            [name, value],
            [name.toUpperCase(), value],
          ],
    ),
  );
}

/**
 * Whether a host is asked without a proxy: one of `no_proxy` or below it, an address in a range of it (`10.0.0.0/8`), `*`, or this
 * host. Names of hosts are not looked up.
 */
export function isDirect({ hostname, port, protocol }: URL, noProxy: string): boolean {
  if (isLoopback(hostname)) return true;
  const ownPort = port || (protocol === "https:" ? "443" : "80");
  const address = hostname.replace(/^\[|\]$/g, "");
  return noProxy.split(/[,\s]+/).some((entry) => {
    if (entry === "*") return true;
    if (isIP(address) !== 0 && hasAddress(entry.replace(/^\[|\]$/g, ""), address)) return true;
    const [, name = "", onPort] = /^(\[.+\]|[^:]+)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const host = name.replace(/^\*?\./, "");
    return host !== "" && (hostname === host || hostname.endsWith(`.${host}`)) && (onPort === undefined || onPort === ownPort);
  });
}

/** Whether an address is another one, in whatever spelling, or in a range such as `10.0.0.0/8`. */
function hasAddress(range: string, address: string): boolean {
  const [start = "", bits] = range.split("/");
  const family = isIP(start);
  if (family === 0) return false;
  const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(start, length, family === 4 ? "ipv4" : "ipv6");
  return list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

function fromEnvironment(environment: Environment, onUnusable: (text: string) => void): ProxyVariables {
  const variable = (name: string): string | undefined => [name, name.toUpperCase()].find((spelling) => environment[spelling]);
  const proxy = (name: string): string | undefined => {
    const found = variable(name);
    if (found === undefined) return undefined;
    if (proxyUrl(environment[found] ?? "")) return environment[found];
    // Its value may hold a login.
    onUnusable(`the proxy of the variable ${found} is left out: it has no http: or https: URL`);
    return undefined;
  };
  return { http_proxy: proxy("http_proxy"), https_proxy: proxy("https_proxy"), no_proxy: environment[variable("no_proxy") ?? ""] };
}

async function firstWorking(
  sources: readonly ProxyVariables[],
  name: "http_proxy" | "https_proxy",
  works: (text: string) => Promise<URL | undefined>,
): Promise<URL | undefined> {
  for (const { [name]: text } of sources) {
    const url = text === undefined ? undefined : await works(text);
    if (url) return url;
  }
  return undefined;
}

async function takesConnections(text: string, seconds: number, onUnusable: (text: string) => void): Promise<URL | undefined> {
  const url = proxyUrl(text);
  if (!url) return undefined;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const why = await whyNoConnection(url.hostname.replace(/^\[|\]$/g, ""), port, seconds);
  if (why === undefined) return url;
  onUnusable(`the proxy ${url.protocol}//${url.host} is left out: ${why}`);
  return undefined;
}

/** Undefined if a connection was taken within the time. */
function whyNoConnection(host: string, port: number, seconds: number): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(`it takes no connection within ${seconds} s`), seconds * 1000);
    const end = (why: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      done(why);
    };
    socket.once("connect", () => end(undefined));
    // Several addresses that all fail give an error without words.
    socket.once("error", (error) => end(error.message || "none of its addresses takes a connection"));
  });
}

function memoized<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const result = made.get(key) ?? make(key);
    made.set(key, result);
    return result;
  };
}
