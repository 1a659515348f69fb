import { expect, test } from "vitest";
import { header, type Identity, sameBytes, validatorsOf } from "../../src/transport/freshness.js";

test.each<[Identity, Identity, boolean]>([
  [{ etag: "a" }, { etag: "a" }, true],
  [{ etag: "a" }, { etag: "b" }, false],
  [{ etag: "a" }, {}, false],
  [{}, {}, false],
  [{ etag: "a", modified: "m" }, { modified: "m" }, true],
  [{ etag: "a", modified: "m" }, { etag: "b", modified: "m" }, false],
  [{ digest: "d", etag: "a" }, { digest: "e", etag: "a" }, false],
  [{ digest: "d" }, { etag: "a" }, false],
])("%j and %j are the same bytes: %j", (a, b, expected) => {
  expect(sameBytes(a, b)).toBe(expected);
});

test("headers without a value tell no versions apart", () => {
  expect(header({ etag: "" }, "etag")).toBeUndefined();
  expect(validatorsOf({ "nspawn-digest": "", etag: '"e"' })).toEqual({ etag: '"e"' });
  expect(validatorsOf({ "nspawn-digest": "", etag: "" })).toEqual({});
});
