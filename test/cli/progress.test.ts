import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/base/events.js";
import { columnsOf } from "../../src/cli/columns.js";
import { Progress } from "../../src/cli/progress.js";
import type { Paint } from "../../src/cli/style.js";
import { TransferRate } from "../../src/cli/transfer-rate.js";
import { anyText } from "../support/arbitrary.js";

const plain: Paint = (_, text) => text;
const at = { file: "/srv/build.ts", line: 1 };
const digest = `sha256:${"0".repeat(64)}`;

function step(text: string): Event {
  return { kind: "step-begin", at, text };
}

function transfer(url: string, bytes: number, total?: number, done = false): Event {
  return { kind: "transfer", url, direction: "down", bytes, done, ...(total === undefined ? {} : { total }) };
}

describe("what is going on", () => {
  test("is the step with its time, and the last five lines of its command", () => {
    const progress = new Progress(plain);
    expect(progress.take(step("SH long"), 0)).toEqual([]);
    for (let n = 1; n <= 8; n++) progress.take({ kind: "output", line: `line ${n}` }, 100);
    expect(progress.frame({ columns: 40, rows: 20, now: 125_000 })).toEqual([
      "⠋ SH long  2 min 05 s",
      "  │ line 4",
      "  │ line 5",
      "  │ line 6",
      "  │ line 7",
      "  │ line 8",
    ]);
    expect(progress.take({ kind: "step-end", at, text: "SH long", seconds: 125, cached: false }, 125_000)).toEqual(["✓ SH long (125.0 s)"]);
    expect(progress.frame({ columns: 40, rows: 20, now: 125_000 })).toEqual([]);
  });

  test("of a cached step only that it was", () => {
    const progress = new Progress(plain);
    progress.take(step("SH x"), 0);
    expect(progress.take({ kind: "step-end", at, text: "SH x", seconds: 0, cached: true }, 1)).toEqual(["✓ SH x cached"]);
  });

  test("is each download with bytes, share, rate and time left", () => {
    const progress = new Progress(plain);
    for (const url of ["one", "two"]) progress.take({ kind: "begin", text: `pull ${url}`, url }, 0);
    progress.take(transfer("one", 5_000_000, 20_000_000), 1000);
    progress.take(transfer("two", 3_000), 1000);
    expect(progress.frame({ columns: 80, rows: 20, now: 1000 })).toEqual([
      "↓ pull one  5.0 MB of 20.0 MB  25 %  5.0 MB/s  3 s left",
      "↓ pull two  3.0 kB  3.0 kB/s",
    ]);
    progress.take(transfer("one", 20_000_000, 20_000_000, true), 4000);
    expect(progress.frame({ columns: 80, rows: 20, now: 4000 })[0]).toBe("⠋ pull one  20.0 MB");
    expect(progress.take({ kind: "pulled", url: "one", digest, bytes: 20_000_000, seconds: 5, how: "fetched" }, 5000)).toEqual([
      "✓ pulled one sha256:000000000000 20.0 MB (5.00 s)",
    ]);
    expect(progress.frame({ columns: 80, rows: 20, now: 5000 })).toHaveLength(1);
  });

  test("a transfer that is a part of a step goes when it is done", () => {
    const progress = new Progress(plain);
    progress.take(step("FETCH u"), 0);
    progress.take(transfer("u", 10, 20), 100);
    expect(progress.frame({ columns: 80, rows: 20, now: 200 })).toHaveLength(2);
    progress.take(transfer("u", 20, 20, true), 300);
    expect(progress.frame({ columns: 80, rows: 20, now: 400 })).toHaveLength(1);
  });

  test("what is waited for goes with the next that happens", () => {
    const progress = new Progress(plain);
    progress.take({ kind: "begin", text: "waiting: process 7 builds this image" }, 0);
    expect(progress.frame({ columns: 80, rows: 20, now: 3000 })).toEqual(["⠋ waiting: process 7 builds this image  3 s"]);
    progress.take(step("SH x"), 4000);
    expect(progress.frame({ columns: 80, rows: 20, now: 4000 })).toEqual(["⠋ SH x  0 s"]);
  });

  test("stays as a line if the command failed", () => {
    const progress = new Progress(plain);
    progress.take(step("SH x"), 0);
    expect(progress.unfinished(1500)).toEqual(["✗ SH x (1.50 s)"]);
    expect(progress.frame({ columns: 80, rows: 20, now: 1500 })).toEqual([]);
  });

  test("many downloads are counted where there is no room", () => {
    const progress = new Progress(plain);
    for (let n = 0; n < 50; n++) progress.take({ kind: "begin", text: `pull ${n}`, url: String(n) }, 0);
    const frame = progress.frame({ columns: 80, rows: 10, now: 0 });
    expect(frame).toHaveLength(5);
    expect(frame.at(-1)).toBe("  and 46 more");
  });

  test("fits the terminal and holds no control characters, whatever programs write", () => {
    const event: fc.Arbitrary<Event> = fc.oneof(
      anyText.map((line): Event => ({ kind: "output", line: `\x1b[2J${line}` })),
      anyText.map(step),
      anyText.map((text): Event => ({ kind: "begin", text, url: text })),
      fc.tuple(anyText, fc.nat(), fc.option(fc.nat(), { nil: undefined })).map(([url, bytes, total]) => transfer(url, bytes, total)),
      anyText.map((text): Event => ({ kind: "acted", text })),
    );
    const size = fc.integer({ min: 3, max: 120 });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), size, size, (events, columns, rows) => {
        const progress = new Progress(plain);
        const stay = events.flatMap((one, index) => progress.take(one, index * 100));
        const frame = progress.frame({ columns, rows, now: 5000 });
        expect(frame.length).toBeLessThanOrEqual(rows);
        for (const line of frame) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
        for (const line of [...frame, ...stay]) expect(line).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe("a rate", () => {
  test("is that of the last seconds", () => {
    const rate = new TransferRate(0);
    expect(rate.perSecond(0)).toBe(0);
    for (let second = 1; second <= 60; second++) rate.add(second * 1000, second * 1000);
    expect(rate.perSecond(60_000)).toBeCloseTo(1000);
    for (let second = 61; second <= 70; second++) rate.add(60_000 + (second - 60) * 5000, second * 1000);
    expect(rate.perSecond(70_000)).toBeCloseTo(5000);
  });

  test("falls while nothing comes, and is never below nothing", () => {
    const rate = new TransferRate(0);
    rate.add(1000, 1000);
    expect(rate.perSecond(10_000)).toBe(100);
    rate.add(0, 11_000);
    expect(rate.perSecond(11_000)).toBe(0);
  });
});
