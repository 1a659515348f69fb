import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.js";
import { logFormat, strftime } from "../../src/cli/log-format.js";

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Asia/Kolkata";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** 2026-03-05 00:07:09.042 in a zone half an hour off. */
const time = new Date("2026-03-04T18:37:09.042Z");

describe("a time in the words of strftime", () => {
  test.each([
    ["%Y-%m-%d %H:%M:%S", "2026-03-05 00:07:09"],
    ["%y %j %z", "26 064 +0530"],
    ["%a %A %b %B", "Thu Thursday Mar March"],
    ["%I %p", "12 AM"],
    ["%f%%", "042000%"],
    ["", ""],
  ])("%j is %j", (format, shown) => {
    expect(strftime(format)(time)).toBe(shown);
  });

  test("zones west of UTC have a minus, afternoons a PM", () => {
    process.env.TZ = "America/St_Johns";
    expect(strftime("%z %I %p")(time)).toBe("-0330 03 PM");
    process.env.TZ = "Asia/Kolkata";
  });

  test("what is not known is refused by its name", () => {
    expect(() => strftime("%Y %Q")).toThrow("the time format has %Q, which is not known");
    expect(() => strftime("100%")).toThrow(UsageError);
  });
});

describe("a line in the words of Python's logging", () => {
  test.each([
    ["%(message)s", "hello"],
    ["%(asctime)s %(levelname)-8s|%(message)s", "2026-03-05 00:07:09 WARNING |hello"],
    ["%(levelname)10s", "   WARNING"],
    ["%(levelname).4s 100%%", "WARN 100%"],
    ["%(levelno)05d %(name)s %(msecs)d", "00030 nspawn 42"],
    ["plain", "plain"],
  ])("%j is %j", (format, line) => {
    expect(logFormat(format, "%Y-%m-%d %H:%M:%S")({ level: "warning", message: "hello", time })).toBe(line);
  });

  test("without a format the time is as in Python", () => {
    expect(logFormat("%(asctime)s", "")({ level: "info", message: "", time })).toBe("2026-03-05 00:07:09,042");
  });

  test("values are not read as formats", () => {
    expect(logFormat("%(message)s", "")({ level: "info", message: "%(levelname)s %% %d", time })).toBe("%(levelname)s %% %d");
  });

  test.each([
    ["%(mesage)s", "%(mesage)s, which is not known"],
    ["%(message)", "a % that starts nothing"],
    ["%d", "a % that starts nothing"],
    ["%(constructor)s", "%(constructor)s, which is not known"],
  ])("%j is refused", (format, why) => {
    expect(() => logFormat(format, "")).toThrow(`the log format has ${why}`);
  });
});
