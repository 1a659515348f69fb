import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { groupCounter } from "../../src/machine/group-usage.js";
import { there } from "../support/files.js";

test("a control group takes what its processes take, this one among them", () => {
  const own = there(/^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1]);
  const usage = there(groupCounter()(own));
  expect(usage.memory).toBeGreaterThanOrEqual(process.memoryUsage().rss / 2);
  // V8 has threads of its own.
  expect(usage.tasks).toBeGreaterThan(1);
});

test("a control group that is not there takes nothing that is known", () => {
  expect(groupCounter()("/no/such.service")).toBeUndefined();
});
