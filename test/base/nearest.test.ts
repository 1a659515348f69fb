import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { didYouMean, nearest } from "../../src/base/nearest.js";
import { catalog } from "../../src/settings/catalog.js";

const names = Object.keys(catalog);

describe("nearest", () => {
  test.each([
    ["Enviroment", "Environment"],
    ["environment", "Environment"],
    ["MacVlan", "MACVLAN"],
    ["Bnd", "Bind"],
    ["Hostnaem", "Hostname"],
    ["BindReadonly", "BindReadOnly"],
    ["WorkingDir", undefined],
    ["Xyzzy", undefined],
    ["", undefined],
  ])("%j is taken for %j", (word, expected) => {
    expect(nearest(word, names)).toBe(expected);
  });

  test("every name is nearest to itself", () => {
    for (const name of names) expect(nearest(name, names)).toBe(name);
  });

  test("a name with one letter missing is found", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names.filter((name) => name.length > 8)), fc.nat(), (name, seed) => {
        const at = seed % name.length;
        const found = nearest(name.slice(0, at) + name.slice(at + 1), names);
        // Another name may be as near: LimitRTTIME and LimitRTPRIO are not, PrivateUsers and its prefixes could be.
        expect(found).toBeDefined();
        expect(Math.abs((found ?? "").length - name.length)).toBeLessThanOrEqual(2);
      }),
    );
  });

  test("nothing is near where there are no candidates", () => {
    expect(nearest("Boot", [])).toBeUndefined();
  });

  test("a word that is too long to be one is near to nothing, and costs no time", () => {
    const long = "x".repeat(1_000_000);
    expect(nearest(long, [long, `${long}y`])).toBeUndefined();
  });
});

test("didYouMean asks for the nearest", () => {
  expect(didYouMean("Bnid", ["Boot", "Bind"])).toBe("did you mean Bind?");
  expect(didYouMean("Xyzzy", ["Boot", "Bind"])).toBeUndefined();
});
