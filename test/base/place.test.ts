import { describe, expect, test } from "vitest";
import { callerPlace, placeOfError, showPlace } from "../../src/base/place.js";

describe("places", () => {
  test("a place is shown as file:line", () => {
    expect(showPlace({ file: "/srv/web/build.ts", line: 7 })).toBe("/srv/web/build.ts:7");
  });

  test("an error's place is its nearest frame that is accepted", () => {
    const error = new Error("x");
    error.stack = [
      "Error: x",
      "    at inner (/srv/lib/deep.ts:3:1)",
      "    at Object.<anonymous> (file:///srv/my%20web/build.ts:12:5)",
      "    at /srv/my web/build.ts:20:5",
      "    at node:internal/process:1:1",
    ].join("\n");
    expect(placeOfError(error, (file) => file.startsWith("/srv/my web/"))).toEqual({ file: "/srv/my web/build.ts", line: 12 });
    expect(placeOfError(error, () => true)).toEqual({ file: "/srv/lib/deep.ts", line: 3 });
    expect(placeOfError(error, () => false)).toBeUndefined();
  });

  test("a frame without parentheses has its place too", () => {
    const error = new Error("x");
    error.stack = "Error: x\n    at file:///srv/build.ts:4:7";
    expect(placeOfError(error, () => true)).toEqual({ file: "/srv/build.ts", line: 4 });
  });

  test("an error without a stack has no place", () => {
    const error = new Error("x");
    Reflect.deleteProperty(error, "stack");
    expect(placeOfError(error, () => true)).toBeUndefined();
  });

  test("a caller's place is found however deep the calls are, and Error stays as it was", () => {
    const before = [Error.prepareStackTrace, Error.stackTraceLimit];
    const deep = (level: number): ReturnType<typeof callerPlace> =>
      level === 0 ? callerPlace((file) => file.endsWith("place.test.ts")) : deep(level - 1);
    expect(deep(30)?.file).toMatch(/place\.test\.ts$/);
    expect([Error.prepareStackTrace, Error.stackTraceLimit]).toEqual(before);
  });
});
