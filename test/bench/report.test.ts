import { describe, expect, test } from "vitest";
import { chart } from "../../bench/chart.mjs";
import { measureRow } from "../../bench/measure.mjs";
import { report } from "../../bench/report.mjs";

const samples = { ours: [], plain: [] };
const results = [
  { name: "pull <of> 1 GB", unit: "ms", ours: 5100, plain: 5000, limit: 5750, target: "1.15 times a | b", holds: true, rounds: 3, samples },
  { name: "start", unit: "ms", ours: 400, limit: 300, target: "300 ms", holds: false, rounds: 5, samples },
  { name: "memory: pull", unit: "MB", ours: 100, limit: 150, target: "150 MB", holds: true, rounds: 1, samples },
] as const;

describe("a row", () => {
  test("has the medians of its rounds, ours and plain in turn, without the first round", () => {
    const order: string[] = [];
    const next = (kind: string, values: number[]) => () => {
      order.push(kind);
      return values.shift() ?? Number.NaN;
    };
    const row = {
      name: "row",
      unit: "ms",
      ours: next("ours", [99, 3, 1, 2]),
      plain: next("plain", [99, 1, 1, 7]),
      target: "twice",
      holds: (ours: number, plain: number) => ours <= 2 * plain,
    } as const;
    expect(measureRow(row, 3, () => undefined)).toMatchObject({ ours: 2, plain: 1, limit: 2, holds: true, rounds: 3 });
    expect(order).toEqual(["ours", "plain", "ours", "plain", "ours", "plain", "ours", "plain"]);
  });

  test("is measured as often as it is worth, at most, and once without a first round", () => {
    let count = 0;
    const row = {
      name: "row",
      unit: "MB",
      rounds: 1,
      ours: () => ++count,
      target: "150 MB",
      holds: (ours: number) => ours <= 150,
    } as const;
    expect(measureRow(row, 5, () => undefined)).toMatchObject({ ours: 1, limit: 150, rounds: 1 });
    expect(count).toBe(1);
  });
});

describe("the report", () => {
  const machine = { system: "Debian 12", processor: "a processor", cores: 2, memory: "24 GiB", node: "v20.20.0" };
  const text = report({ date: "2026-11-25T18:00:00.000Z", rounds: 5, seconds: 300, machine, results });

  test("says when, where and how it was measured, and what does not hold", () => {
    expect(text).toContain("2026-11-25 18:00 UTC, in 5 minutes");
    expect(text).toContain("Debian 12, a processor, 2 cores, 24 GiB of memory, Node v20.20.0");
    expect(text).toContain("2 of 3 hold; not: start");
  });

  test("has a row for each time and for each memory", () => {
    expect(text).toMatch(/^\| pull <of> 1 GB +\| 5\.10 s +\| 5\.00 s \| 1\.02 +\| 1\.15 times a \\\| b \| yes +\| 3 +\|$/m);
    expect(text).toMatch(/^\| start +\| 400 ms \| +\| +\| 300 ms +\| \*\*no\*\* \| 5 +\|$/m);
    expect(text).toMatch(/^\| pull +\| 100 MB \| 150 MB \| yes +\|$/m);
  });
});

describe("the chart", () => {
  const drawing = chart(results);

  test("has ours, plain and target of each time on one axis, and escapes names", () => {
    expect(drawing).toContain("pull &lt;of&gt; 1 GB");
    expect(drawing).not.toContain("memory");
    const centers = [...drawing.matchAll(/<circle class="(ours missed|ours|plain)" cx="([\d.]+)" cy="(?:99|125)"/g)];
    expect(centers.map(([, kind]) => kind)).toEqual(["plain", "ours", "ours missed"]);
    const [plain = 0, ours = 0, start = 0] = centers.map(([, , x]) => Number(x));
    expect(start).toBeLessThan(plain);
    expect(plain).toBeLessThan(ours);
  });

  test("is for light and dark pages", () => {
    expect(drawing).toContain("@media (prefers-color-scheme: dark)");
  });
});
