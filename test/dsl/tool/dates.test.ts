import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { buildEpoch, buildStamp, dateDash, dateDots, datePath, dateTimeIso } from "../../../src/dsl/tool/dates.js";
import { tries } from "../../support/tries.js";

const instant = new Date("2026-11-23T23:00:03.123Z");
const ISO = (date: Date): string => date.toISOString();
/** All instants that have a name: from the year 0 on, with years of five and six digits; not the month in which Date ends. */
const anyDate = fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("+275760-08-31T23:59:59.999Z"), noInvalidDate: true });

beforeEach(() => void vi.stubEnv("NSPAWN_BUILD_EPOCH", undefined));
afterEach(() => vi.unstubAllEnvs());

describe("buildEpoch", () => {
  test("it is the first of this month at midnight, in UTC", () => {
    const epoch = buildEpoch();
    const now = new Date();
    expect(ISO(epoch)).toBe(`${ISO(now).slice(0, 7)}-01T00:00:00.000Z`);
  });

  test("the month is that of the instant, the day may be another", () => {
    expect(ISO(buildEpoch(instant))).toBe("2026-11-01T00:00:00.000Z");
    expect(ISO(buildEpoch(instant, 15))).toBe("2026-11-15T00:00:00.000Z");
    expect(ISO(instant), "the date that was given stays as it is").toBe("2026-11-23T23:00:03.123Z");
  });

  test("the last day of a month that is longer than the next stays in its month", () => {
    expect(ISO(buildEpoch(new Date("2026-01-31T23:59:59Z"), 28))).toBe("2026-01-28T00:00:00.000Z");
  });

  test("all instants of a month have one epoch", () => {
    fc.assert(
      fc.property(anyDate, fc.integer({ min: 1, max: 28 }), (date, day) => {
        const epoch = buildEpoch(date, day);
        expect(dateDash(epoch)).toBe(`${dateDash(date).slice(0, -2)}${String(day).padStart(2, "0")}`);
        expect(ISO(epoch)).toMatch(/T00:00:00\.000Z$/);
      }),
    );
  });

  test.each([0, 29, 1.5, Number.NaN, "1"])("the day %j is refused", (day) => {
    expect(() => buildEpoch(instant, day as number)).toThrow(/^TOOL\.buildEpoch: expected a day from 1 to 28, not /);
  });

  test.each([
    ["2026-11-23", "2026-11-23T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["2026-11-23T10:20", "2026-11-23T10:20:00.000Z"],
    ["2026-11-23T10:20:30", "2026-11-23T10:20:30.000Z"],
    ["2026-11-23 10:20:30.5", "2026-11-23T10:20:30.500Z"],
    ["2026-11-23T10:20:30Z", "2026-11-23T10:20:30.000Z"],
    ["2026-11-23T01:00:00+02:00", "2026-11-22T23:00:00.000Z"],
    ["2026-11-23T01:00:00-0130", "2026-11-23T02:30:00.000Z"],
    ["0", "1970-01-01T00:00:00.000Z"],
    ["1795474803", "2026-11-23T23:00:03.000Z"],
  ])("NSPAWN_BUILD_EPOCH=%s is %s, whatever instant and day are", (text, expected) => {
    vi.stubEnv("NSPAWN_BUILD_EPOCH", text);
    expect(ISO(buildEpoch())).toBe(expected);
    expect(ISO(buildEpoch(new Date(0), 7))).toBe(expected);
  });

  test("an empty NSPAWN_BUILD_EPOCH is none", () => {
    vi.stubEnv("NSPAWN_BUILD_EPOCH", "");
    expect(ISO(buildEpoch(instant))).toBe("2026-11-01T00:00:00.000Z");
  });

  test.each([
    "yesterday",
    "2026-13-01",
    "2026-02-30",
    "2026-02-30T10:00",
    "2026-11-23T25:00",
    "2026-1-1",
    "23.11.2026",
    "-1",
    "1e9",
    "99999999999999999",
    " ",
  ])("NSPAWN_BUILD_EPOCH=%j is an error with the value and what is right", (text) => {
    vi.stubEnv("NSPAWN_BUILD_EPOCH", text);
    expect(() => datePath()).toThrow(
      expect.objectContaining({
        name: "ScriptError",
        problems: [
          expect.objectContaining({
            message: `TOOL.buildEpoch: the environment variable NSPAWN_BUILD_EPOCH is ${JSON.stringify(text)}`,
            hint: expect.stringContaining("2026-11-23"),
          }),
        ],
      }),
    );
  });
});

describe("buildStamp", () => {
  test("it is the instant with six digits of microseconds", () => {
    expect(buildStamp(instant)).toBe("20261123-230003-123000");
    expect(buildStamp(new Date("2026-11-23T23:00:03.007Z"))).toBe("20261123-230003-007000");
  });

  test("without an instant it is now, and never goes back", () => {
    const before = Date.now();
    const stamps = Array.from({ length: 1000 }, () => buildStamp());
    const after = Date.now();
    expect(stamps).toEqual([...stamps].sort());
    for (const stamp of stamps) expect(stamp).toMatch(/^\d{8}-\d{6}-\d{6}$/);
    const [first = ""] = stamps;
    const time = Date.parse(first.replace(/^(....)(..)(..)-(..)(..)(..)-(...).*/, "$1-$2-$3T$4:$5:$6.$7Z"));
    expect(time).toBeGreaterThanOrEqual(before - 50);
    expect(time).toBeLessThanOrEqual(after + 50);
    expect(
      stamps.some((stamp) => !stamp.endsWith("000")),
      "microseconds are known",
    ).toBe(true);
  });
});

describe("forms of dates", () => {
  test("each form of one instant", () => {
    expect(dateTimeIso(instant)).toBe("20261123T230003");
    expect(datePath(instant)).toBe("2026/11/23");
    expect(dateDash(instant)).toBe("2026-11-23");
    expect(dateDots(instant)).toBe("2026.11.23");
  });

  test("without a date it is that of the build epoch", () => {
    vi.stubEnv("NSPAWN_BUILD_EPOCH", "2025-01-02");
    expect([dateTimeIso(), datePath(), dateDash(), dateDots()]).toEqual(["20250102T000000", "2025/01/02", "2025-01-02", "2025.01.02"]);
  });

  test("every date can be read back from each form, in UTC", () => {
    fc.assert(
      fc.property(anyDate, (date) => {
        const day = new Date(date);
        day.setUTCHours(0, 0, 0, 0);
        for (const [form, separator] of [
          [datePath, "/"],
          [dateDash, "-"],
          [dateDots, "."],
        ] as const) {
          const [year = "", month, dayOfMonth, ...rest] = form(date).split(separator).map(Number);
          expect(rest).toEqual([]);
          expect(utc(Number(year), Number(month), Number(dayOfMonth))).toBe(day.getTime());
        }
        const [, y, mo, d, h, mi, s] = /^(\d{4,6})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(dateTimeIso(date))?.map(Number) ?? [];
        expect(utc(Number(y), Number(mo), Number(d)) + ((Number(h) * 60 + Number(mi)) * 60 + Number(s)) * 1000).toBe(
          Math.floor(date.getTime() / 1000) * 1000,
        );
        expect(buildStamp(date)).toBe(`${dateTimeIso(date).replace("T", "-")}-${String(date.getUTCMilliseconds()).padStart(3, "0")}000`);
      }),
      { numRuns: tries(1000) },
    );
  });

  test.each([[new Date(Number.NaN)], [new Date("-000001-01-01T00:00:00Z")], ["2026-11-23"], [0], [null]])("%j is no date", (date) => {
    for (const form of [dateTimeIso, datePath, dateDash, dateDots, buildStamp, buildEpoch])
      expect(() => form(date as Date)).toThrow(/^TOOL\.\w+: expected a Date, not /);
  });
});

/** Date.UTC takes years below 100 for those of the last century. */
function utc(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}
