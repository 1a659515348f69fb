import { expect, test } from "vitest";
import { retryAfter } from "../../src/transport/status.js";

test.each([
  ["0", 0],
  ["120", 120_000],
  ["Thu, 01 Jan 1970 00:00:10 GMT", 9000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["-1", undefined],
  ["soon", undefined],
  [undefined, undefined],
])("Retry-After %j is %j ms after 1 s", (text, expected) => {
  expect(retryAfter(text, 1000)).toBe(expected);
});
