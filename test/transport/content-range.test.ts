import { expect, test } from "vitest";
import { contentRange, unsatisfiedLength } from "../../src/transport/content-range.js";

test.each([
  ["bytes 0-9/10", { first: 0, last: 9, total: 10 }],
  ["bytes 5-9/*", { first: 5, last: 9, total: undefined }],
  ["bytes 9-5/10", undefined],
  ["bytes 0-10/10", undefined],
  ["bytes */10", undefined],
  ["bytes 0-9", undefined],
  ["bytes -1-9/10", undefined],
  ["lines 0-9/10", undefined],
  [undefined, undefined],
])("Content-Range %j", (text, expected) => {
  expect(contentRange(text)).toEqual(expected);
});

test("Content-Range of a part that is not there tells the length", () => {
  expect(["bytes */10", "bytes 0-9/10", undefined].map(unsatisfiedLength)).toEqual([10, undefined, undefined]);
});
