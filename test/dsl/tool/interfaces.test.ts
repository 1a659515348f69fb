import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { interfaceList, type NetworkState, selectInterface } from "../../../src/dsl/tool/interfaces.js";

const address = (text: string, internal = false): { readonly address: string; readonly internal: boolean } => ({ address: text, internal });
const lo = [address("127.0.0.1", true), address("::1", true)];
const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const zeros = "0".repeat(32);
const route = (name: string, metric: number, flags = "0003"): string =>
  `${name}\t00000000\t010200C0\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0  \n`;
const route6 = (name: string, metric: string, flags = "00000003"): string =>
  `${zeros} 00 ${zeros} 00 fd000000000000000000000000000001 ${metric} 00000002 00000000 ${flags} ${name.padStart(8)}\n`;

function network(fields: Partial<NetworkState>): NetworkState {
  return { addresses: { lo }, all: ["lo", ...Object.keys(fields.addresses ?? {})], route: head, route6: "", ...fields };
}

const three = { lo, docker0: [address("172.17.0.1")], eth0: [address("192.0.2.2")], wlan0: [address("198.51.100.7"), address("fe80::1")] };

describe("interfaceList", () => {
  test("that of the default route comes first, then the others as the kernel lists them", () => {
    expect(interfaceList(network({ addresses: three }))).toEqual(["docker0", "eth0", "wlan0"]);
    expect(interfaceList(network({ addresses: three, route: `${head}${route("wlan0", 0)}` }))).toEqual(["wlan0", "docker0", "eth0"]);
  });

  test("of several default routes the one with the smaller metric comes first, IPv4 before IPv6", () => {
    const state = { addresses: three, route: `${head}${route("wlan0", 600)}${route("eth0", 100)}`, route6: route6("docker0", "00000001") };
    expect(interfaceList(network(state))).toEqual(["eth0", "wlan0", "docker0"]);
    const only6 = { addresses: three, route6: `${route6("wlan0", "00000400")}${route6("eth0", "00000100")}` };
    expect(interfaceList(network(only6))).toEqual(["eth0", "wlan0", "docker0"]);
  });

  test("routes that lead nowhere, or to a network only, do not count", () => {
    const state = {
      addresses: three,
      route: `${head}${route("eth0", 0, "0200")}${route("eth0", 0, "0201")}wlan0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\nwlan0\t00000000\t00000000\t0001\t0\t0\t0\t000000FE\t0\t0\t0\n`,
      route6: `${route6("lo", "ffffffff", "00200200")}${route6("wlan0", "00000001", "00000201")}`,
    };
    expect(interfaceList(network(state))).toEqual(["docker0", "eth0", "wlan0"]);
  });

  test("each once, never the loopback, and none without a global address", () => {
    const addresses = {
      lo: [...lo, address("10.0.0.1", true)],
      "eth0:1": [address("192.0.2.3")],
      eth0: [address("192.0.2.2"), address("2001:db8::1"), address("fe80::1")],
      eth1: [address("fe80::2"), address("169.254.7.7")],
      eth2: [address("fd00::2")],
      eth3: [],
      eth4: undefined,
    };
    const state = { addresses, route: `${head}${route("eth0", 0)}${route("eth1", 0)}${route("lo", 0)}${route("gone", 0)}` };
    expect(interfaceList(network(state))).toEqual(["eth0", "eth2"]);
  });

  test("tables that nobody can read change nothing", () => {
    for (const table of ["", "\n\n", "x y z\n", "\0"])
      expect(interfaceList(network({ addresses: three, route: table, route6: table }))).toHaveLength(3);
  });

  test("on this host it is what ip(8) says", () => {
    const lines = execFileSync("ip", ["-o", "addr", "show", "up", "primary", "scope", "global"], { encoding: "utf8" }).trim().split("\n");
    const names = new Set(lines.map((line) => line.split(/\s+/)[1] ?? "").filter((name) => name in networkInterfaces()));
    expect([...interfaceList()].sort()).toEqual([...names].sort());
    const route = execFileSync("ip", ["-o", "-4", "route", "show", "default"], { encoding: "utf8" });
    const first = / dev (\S+)/.exec(route)?.[1];
    if (first !== undefined) expect(selectInterface()).toBe(first);
  });
});

describe("selectInterface", () => {
  test("the first, or the first that the pattern finds", () => {
    const state = network({ addresses: three, route: `${head}${route("eth0", 0)}` });
    expect(selectInterface(undefined, state)).toBe("eth0");
    expect(selectInterface(/^w/, state)).toBe("wlan0");
    const everywhere = /0$/g;
    expect([selectInterface(everywhere, state), selectInterface(everywhere, state)]).toEqual(["eth0", "eth0"]);
  });

  const problem = (message: string, hint: string): unknown =>
    expect.objectContaining({ name: "ScriptError", exitCode: 2, problems: [expect.objectContaining({ message, hint })] });

  test("if there is none, the error says what there is", () => {
    expect(() => selectInterface(undefined, network({ addresses: { lo, eth1: [address("fe80::2")] } }))).toThrow(
      problem(
        "TOOL.selectInterface: this host has no network interface that is up and has a global address",
        "there are eth1; see: ip address",
      ) as Error,
    );
    expect(() => selectInterface(undefined, network({}))).toThrow(/no network interface/);
  });

  test("if none matches, the error has the pattern and the others", () => {
    expect(() => selectInterface(/^en/, network({ addresses: three }))).toThrow(
      problem("TOOL.selectInterface: no network interface matches /^en/", "there are docker0, eth0, wlan0") as Error,
    );
  });

  test("a pattern that is a text is refused", () => {
    expect(() => selectInterface("eth0" as unknown as RegExp)).toThrow(/expected a regular expression such as \/\^en\/, not "eth0"/);
  });
});
