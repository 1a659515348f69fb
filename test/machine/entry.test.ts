import fc from "fast-check";
import { expect, test } from "vitest";
import { capabilitiesIn, hostNumberOfRoot, terminalDevices } from "../../src/machine/entry.js";

test("a set of capabilities is read bit by bit", () => {
  expect(capabilitiesIn("0000000000040003")).toEqual([0, 1, 18]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 63 })), (bits) => {
      const set = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
      expect(capabilitiesIn(set.toString(16).padStart(16, "0"))).toEqual(bits.sort((a, b) => a - b));
    }),
  );
  for (const text of ["", "xyz", "0x1"]) expect(capabilitiesIn(text)).toEqual([]);
});

test("the host's number of a machine's root is that of its user namespace", () => {
  expect(hostNumberOfRoot("         0          0 4294967295\n")).toBe(0);
  expect(hostNumberOfRoot("      1000       1000          1\n         0  32309248      65536\n")).toBe(32309248);
  expect(hostNumberOfRoot("")).toBe(0);
});

test("only whole file systems of pseudo terminals count", () => {
  const lines = [
    "1927 1925 0:111 / /dev/pts rw,nosuid shared:239 - devpts devpts rw,gid=5",
    "1928 1925 0:112 /3 /dev/console rw - devpts devpts rw",
    "1929 1925 0:113 / /dev/pts rw - tmpfs devpts rw",
  ];
  expect(terminalDevices(lines.join("\n"))).toEqual(["0:111"]);
});
