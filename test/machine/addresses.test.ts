import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { localIPv4, localIPv6, networkOf } from "../../src/machine/addresses.js";

const hex = (address: bigint): string => address.toString(16).padStart(32, "0");
/** A leaf of fib_trie. */
const leaf = (address: string, ...kinds: readonly string[]): string =>
  [`           |-- ${address}`, ...kinds.map((kind) => `              ${kind}`)].join("\n");

describe("fib_trie", () => {
  test("tells the machine's own addresses, each once, and neither networks nor broadcasts, the loopback or the link", () => {
    const table = [
      "Main:",
      "  +-- 0.0.0.0/0 3 0 5",
      leaf("10.0.0.0", "/24 link UNICAST"),
      leaf("10.0.0.2", "/32 link UNICAST", "/32 host LOCAL"),
      leaf("10.0.0.3", "/32 link UNICAST"),
      leaf("10.0.0.255", "/32 link BROADCAST"),
      leaf("127.0.0.0", "/8 host LOCAL"),
      leaf("127.0.0.1", "/32 host LOCAL"),
      leaf("169.254.7.7", "/32 host LOCAL"),
      "Local:",
      leaf("10.0.0.2", "/32 host LOCAL"),
      leaf("192.168.1.1", "/32 host LOCAL"),
    ].join("\n");
    expect(localIPv4(table)).toEqual(["10.0.0.2", "192.168.1.1"]);
  });

  test("whatever is in it, what comes out are addresses", () => {
    const line = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999)).map((parts) => `  |-- ${parts.join(".")}`),
      fc.constantFrom("    /32 host LOCAL", "    /24 host LOCAL", "    /32 link UNICAST"),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const address of localIPv4(lines.join("\n"))) expect(isIP(address)).toBe(4);
      }),
    );
  });

  test("any address of a machine is found among any others", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.array(fc.ipV4()), (own, others) => {
        const table = [...others.map((other) => leaf(other, "/32 link UNICAST")), leaf(own, "/32 host LOCAL")].join("\n");
        expect(localIPv4(table)).toEqual(/^(127\.|169\.254\.)/.test(own) ? [] : [own]);
      }),
    );
  });
});

describe("if_inet6", () => {
  test("tells addresses that are known beyond the link, as inet_ntop(3) writes them", () => {
    const table = [
      "00000000000000000000000000000001 01 80 10 80       lo",
      "fd000000000000000000000000000002 04 40 00 82     eth0",
      "fe8000000000000000fc00fffe000001 04 40 20 80     eth0",
      "20010db8000000000000000000000012 02 40 00 80    host0",
      "20010db8000000000000000000000013 02 40 00 40    tentative",
      "20010db8000000000000000000000014 02 40 00 20    deprecated",
      "20010db8000000000000000000000015 02 40 00 08    duplicate",
      "fd000000000000000000000000000002 05 40 00 82    again",
      "",
    ].join("\n");
    expect(localIPv6(table)).toEqual(["fd00::2", "2001:db8::12"]);
  });

  test("any address is found, and means the same", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (address) => {
        const [found = ""] = localIPv6(`${hex(address)} 02 40 00 80    host0`);
        const words = (hex(address).match(/.{4}/g) ?? []).join(":");
        expect(new URL(`http://[${found}]`).hostname).toBe(new URL(`http://[${words}]`).hostname);
      }),
    );
  });

  test("whatever is in it, what comes out are addresses", () => {
    const line = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("0", "a", " ", "\n", "x"), maxLength: 60 }));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const address of localIPv6(lines.join("\n"))) expect(isIP(address)).toBe(6);
      }),
    );
  });
});

describe("networkOf", () => {
  test("a process of this host's network has that, one that is not there none", () => {
    expect(networkOf(process.pid)).toEqual({ kind: "host" });
    expect(networkOf(2 ** 22 + 1)).toBeUndefined();
  });
});
