import { expect, test } from "vitest";
import { isWithin } from "../../src/base/is-within.js";

test.each([
  ["/a", "/a", true],
  ["/a/b", "/a", true],
  ["/ab", "/a", false],
  ["/", "/a", false],
  ["/a", "/", true],
  ["/", "/", true],
])("%s within %s: %s", (path, folder, expected) => expect(isWithin(path, folder)).toBe(expected));
