import { expect, test } from "vitest";
import { stepsBeyond } from "../../../src/engine/build/tidy.js";

const day = 24 * 3600 * 1000;
const step = (id: string, bytes: number, daysAgo: number) => ({ key: id, id, bytes, used: new Date(Date.now() - daysAgo * day) });

test("steps that were not used for longest are beyond the size, and those that are too old in any case", () => {
  const steps = [step("a", 10, 3), step("b", 10, 1), step("c", 10, 2), step("d", 1, 31)];
  const beyond = (cacheSize: number, cacheAge = 30): readonly string[] => stepsBeyond(steps, { cacheSize, cacheAge }).map(({ id }) => id);
  expect(beyond(100)).toEqual(["d"]);
  expect(beyond(25)).toEqual(["a", "d"]);
  expect(beyond(10)).toEqual(["c", "a", "d"]);
  expect(beyond(0)).toEqual(["b", "c", "a", "d"]);
  expect(beyond(100, 2)).toEqual(["c", "a", "d"]);
});
