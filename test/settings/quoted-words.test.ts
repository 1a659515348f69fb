import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteWord, splitQuoted, unquoteWord } from "../../src/settings/quoted-words.js";
import { anyText } from "../support/arbitrary.js";
import { tries } from "../support/tries.js";

describe("splitQuoted", () => {
  test.each([
    ["", []],
    ["  ", []],
    ["a  b\tc\n", ["a", "b", "c"]],
    ["a 'b c' \"d e\"", ["a", "b c", "d e"]],
    ["a''b \"\"", ["ab", ""]],
    ["x='a b'y", ["x=a by"]],
    ['a\\ b "c\\"d"', ["a b", 'c"d']],
    ['"it\'s"', ["it's"]],
    ["a\\", ["a\\"]],
  ])("%j is %j", (text, words) => {
    expect(splitQuoted(text)).toEqual(words);
  });

  test.each(["'a", 'a "b', "'"])("%j has a quote that is not closed", (text) => {
    expect(splitQuoted(text)).toBeUndefined();
  });

  test("words come back as they were", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), (words) => {
        expect(splitQuoted(words.map(quoteWord).join(" "))).toEqual(words);
        expect(words.map(quoteWord).map(unquoteWord)).toEqual(words);
      }),
      { numRuns: tries(1000) },
    );
  });

  test("what was never quoted is a word as it is", () => {
    for (const text of ["a b", 'a"b', '"a', "\\", '"a"b"']) expect(unquoteWord(text)).toBe(text);
  });
});
