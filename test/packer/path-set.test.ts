import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PathSet } from "../../src/packer/path-set.js";

const path = fc.array(fc.constantFrom("a", "b", "ab", "\xff"), { minLength: 1, maxLength: 4 });

/** Bytes, without garbage. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  // V8 frees the memory of buffers in another thread, and counts it off later: mostly by the next time.
  for (let times = 0; times < 3; times++) {
    collect();
    await setTimeout(50);
  }
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

  test("takes millions of paths in little memory", async () => {
    const count = 1_500_000;
    const before = await memoryInUse();
    const set = new PathSet();
    for (let index = 0; index < count; index++) set.add(["folder", `link${index}`]);
    await expect.poll(async () => ((await memoryInUse()) - before) / count, { timeout: 20_000 }).toBeLessThan(33);
    for (const index of [0, 1, 77, 1_234_567, count - 1]) expect(set.has(["folder", `link${index}`])).toBe(true);
    for (const index of [count, 2 * count]) expect(set.has(["folder", `link${index}`])).toBe(false);
    expect(set.above(["folder", "link5", "x"])).toBe(2);
  });
});
