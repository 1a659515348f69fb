import { readdirSync, readFileSync } from "node:fs";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { toolError } from "./tool-error.js";

/** What the kernel says of this host's network. */
export type NetworkState = {
  /** Addresses of each interface that is up, as node:os gives them. */
  readonly addresses: Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, "address" | "internal">[] | undefined>>;
  /** All interfaces, whether they are up or not. */
  readonly all: readonly string[];
  /** Text of /proc/net/route and of /proc/net/ipv6_route. */
  readonly route: string;
  readonly route6: string;
};

/** Interfaces that are up and have a global address, those with a default route first; each once, never the loopback. */
export function interfaceList(network: NetworkState = readNetwork()): readonly string[] {
  const up = Object.entries(network.addresses)
    .filter(([, addresses]) => addresses?.some(({ address, internal }) => !internal && isGlobal(address)))
    // The label of a further IPv4 address, such as eth0:1, is no interface.
    .map(([name]) => name.replace(/:.*/, ""));
  const routed = defaultRoutes(network).filter((name) => up.includes(name));
  return [...new Set([...routed, ...up])];
}

/**
 * The first of {@link interfaceList} that `pattern` finds.
 * @throws ScriptError if there is none, with what there is instead
 */
export function selectInterface(pattern?: RegExp, network: NetworkState = readNetwork()): string {
  if (pattern !== undefined && !(pattern instanceof RegExp))
    throw toolError("selectInterface", `expected a regular expression such as /^en/, not ${JSON.stringify(pattern)}`);
  const usable = interfaceList(network);
  const found = usable.find((name) => pattern === undefined || name.search(pattern) >= 0);
  if (found !== undefined) return found;
  if (usable.length > 0) throw toolError("selectInterface", `no network interface matches ${pattern}`, `there are ${usable.join(", ")}`);
  const others = network.all.filter((name) => name !== "lo");
  throw toolError(
    "selectInterface",
    "this host has no network interface that is up and has a global address",
    others.length > 0 ? `there are ${others.join(", ")}; see: ip address` : "there is only the loopback",
  );
}

function readNetwork(): NetworkState {
  return {
    addresses: networkInterfaces(),
    all: tryRead(() => readdirSync("/sys/class/net")) ?? [],
    route: tryRead(() => readFileSync("/proc/net/route", "latin1")) ?? "",
    route6: tryRead(() => readFileSync("/proc/net/ipv6_route", "latin1")) ?? "",
  };
}

/** A host may have no IPv6, and a sandbox no /sys. */
function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Whether an address is known beyond its link: not fe80::/10, which is never a way out, nor 169.254.0.0/16, which nobody gave. */
function isGlobal(address: string): boolean {
  return !/^(127\.|169\.254\.|fe[89a-f]|::1$)/i.test(address);
}

type Route = { readonly name: string; readonly metric: number };

/** Interfaces of the default routes, the preferred one first: IPv4, then IPv6, each by its metric. */
function defaultRoutes({ route, route6 }: NetworkState): readonly string[] {
  const byMetric = (routes: readonly Route[]): readonly string[] => routes.toSorted((a, b) => a.metric - b.metric).map(({ name }) => name);
  return [...byMetric(fields(route).flatMap(route4)), ...byMetric(fields(route6).flatMap(route6Of))];
}

function fields(table: string): readonly (readonly string[])[] {
  return table.split("\n").map((line) => line.trim().split(/\s+/));
}

/** Columns of proc_pid_net(5) route: Iface Destination Gateway Flags RefCnt Use Metric Mask …, the metric in decimal. */
function route4([name = "", destination, , flags = "", , , metric = "", mask]: readonly string[]): readonly Route[] {
  return destination === "00000000" && mask === "00000000" && leadsOut(flags) ? [{ name, metric: Number(metric) }] : [];
}

/** Columns of ipv6_route: destination, its prefix length, source, its prefix length, next hop, metric, references, uses, flags, interface. */
function route6Of([destination = "", length, , , , metric = "", , , flags = "", name = ""]: readonly string[]): readonly Route[] {
  return /^0{32}$/.test(destination) && length === "00" && leadsOut(flags) ? [{ name, metric: Number.parseInt(metric, 16) }] : [];
}

/** RTF_UP without RTF_REJECT (linux/route.h). */
function leadsOut(flags: string): boolean {
  return (Number.parseInt(flags, 16) & 0x201) === 0x1;
}
