import { expect, test } from "vitest";
import { showAge, showBytes, showElapsed, showSeconds } from "../../src/cli/quantity.js";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [12.7, "13 B"],
  [1000, "1.0 kB"],
  [1_036_000, "1.0 MB"],
  [2.5e9, "2.5 GB"],
  [3e15, "3000.0 TB"],
])("%d bytes are %s", (bytes, shown) => {
  expect(showBytes(bytes)).toBe(shown);
});

test.each([
  [0.123, "0.12 s"],
  [12.34, "12.3 s"],
])("%d seconds took %s", (seconds, shown) => {
  expect(showSeconds(seconds)).toBe(shown);
});

test.each([
  [0.9, "0 s"],
  [59.9, "59 s"],
  [60, "1 min 00 s"],
  [3599, "59 min 59 s"],
  [3720, "1 h 02 min"],
  [86_399, "23 h 59 min"],
  [86_400 * 3 + 4 * 3600, "3 d 04 h"],
])("%d seconds are taking %s", (seconds, shown) => {
  expect(showElapsed(seconds)).toBe(shown);
});

test.each([
  [59, "just now"],
  [60, "1 minute"],
  [7199, "1 hour"],
  [7200, "2 hours"],
  [3 * 24 * 3600, "3 days"],
  [31 * 24 * 3600, "1 month"],
  [800 * 24 * 3600, "2 years"],
])("%d seconds ago is %s", (seconds, shown) => {
  expect(showAge(seconds)).toBe(shown);
});
