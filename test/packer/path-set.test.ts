import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PathSet } from "../../src/packer/path-set.js";

const path = fc.array(fc.constantFrom("a", "b", "ab", "\xff"), { minLength: 1, maxLength: 4 });

/** Bytes, without garbage. */
function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe("PathSet", () => {
  test("has what was added, and knows the shortest path that another lies below", () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 20 }), path, (added, asked) => {
        const set = new PathSet();
        for (const parts of added) set.add(parts);
        const names = new Set(added.map((parts) => parts.join("/")));
        expect(set.has(asked)).toBe(names.has(asked.join("/")));
        const above = asked.slice(0, -1).findIndex((_, index) => names.has(asked.slice(0, index + 1).join("/"))) + 1;
        expect(set.above(asked)).toBe(above);
      }),
    );
  });

  test("takes millions of paths in little memory", () => {
    const count = 1_500_000;
    const before = memoryInUse();
    const set = new PathSet();
    for (let index = 0; index < count; index++) set.add(["folder", `link${index}`]);
    expect((memoryInUse() - before) / count).toBeLessThan(33);
    for (const index of [0, 1, 77, 1_234_567, count - 1]) expect(set.has(["folder", `link${index}`])).toBe(true);
    for (const index of [count, 2 * count]) expect(set.has(["folder", `link${index}`])).toBe(false);
    expect(set.above(["folder", "link5", "x"])).toBe(2);
  });
});
