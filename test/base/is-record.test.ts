import { expect, test } from "vitest";
import { isPlainObject } from "../../src/base/is-record.js";

test("isPlainObject takes what is written as { … }", () => {
  for (const value of [{}, { a: 1 }, Object.create(null)]) expect(isPlainObject(value)).toBe(true);
  for (const value of [null, undefined, [], new Map(), new Date(), /x/, () => 1, "a", new (class A {})()])
    expect(isPlainObject(value)).toBe(false);
});
