import fc from "fast-check";
import { expect, test } from "vitest";
import { atMost } from "../../src/base/at-most.js";

test("so many go on at once, as many as may, in their order, and a failure gives its place back", async () => {
  const work = fc.array(fc.record({ turns: fc.integer({ min: 0, max: 4 }), fails: fc.boolean() }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), work, async (count, pieces) => {
      const limited = atMost(count);
      const began: number[] = [];
      let [now, most] = [0, 0];
      const results = await Promise.allSettled(
        pieces.map(({ turns, fails }, index) =>
          limited(async () => {
            began.push(index);
            most = Math.max(most, ++now);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            now--;
            if (fails) throw new Error(String(index));
            return index;
          }),
        ),
      );
      expect(began).toEqual(pieces.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(count);
      expect(results.map(({ status }) => status === "rejected")).toEqual(pieces.map(({ fails }) => fails));
    }),
  );
});

test("as many as may go on do", async () => {
  const limited = atMost(3);
  const ends: (() => void)[] = [];
  const all = Array.from({ length: 5 }, () => limited(() => new Promise<void>((end) => ends.push(end))));
  await Promise.resolve();
  expect(ends).toHaveLength(3);
  ends[0]?.();
  await all[0];
  expect(ends).toHaveLength(4);
  ends[1]?.();
  await all[1];
  for (const end of ends) end();
  await Promise.all(all);
});
