import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, printableLines } from "../../src/cli/printable.js";
import { anyText } from "../support/arbitrary.js";
import { tries } from "../support/tries.js";

/** What programs send to terminals, and parts of it. */
const hostile = fc
  .array(
    fc.oneof(
      anyText,
      fc.constantFrom(
        "\x1b",
        "\x1b[",
        "\x1b[2J",
        "\x1b[?25l",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bP",
        "\x9b31m",
        "\x9d",
        "\x1bc",
        "\x07",
        "\b",
        "\u202e",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("a line from a program", () => {
  test("holds nothing that a terminal obeys, whatever it was", () => {
    fc.assert(
      fc.property(hostile, (line) => {
        expect(printable(line)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: tries(2000) },
    );
  });

  test("stays as it is if it is harmless", () => {
    const harmless = fc.string({ unit: "grapheme" }).filter((line) => !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(line));
    fc.assert(
      fc.property(harmless, (line) => {
        expect(printable(line)).toBe(line);
      }),
    );
  });

  test.each([
    ["\x1b[1;31mred\x1b[0m", "red"],
    ["\x1b]0;my title\x07text", "text"],
    ["\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"],
    ["\x1b(Bplain\x1b[K\x1b=", "plain"],
    ["\x9b2Jcleared", "cleared"],
    ["10 %\r20 %\r", "20 %"],
    ["a\tb", "a       b"],
    ["12345678\tb", "12345678        b"],
    ["ring\x07", "ring\\u0007"],
    ["\x1b]0;no end", "\\u001b]0;no end"],
    ["evil\u202etxt.exe", "evil\\u202etxt.exe"],
    ["", ""],
  ])("%j is shown as %j", (line, shown) => {
    expect(printable(line)).toBe(shown);
  });

  test("takes no longer for a long one", () => {
    const long = "\x1b]".repeat(200_000) + "\x1b[1".repeat(200_000) + "\t".repeat(10_000);
    const started = performance.now();
    expect(printable(long)).toContain("\\u001b]");
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test("lines of a text stay lines", () => {
  expect(printableLines("a\x1b[2J\r\nb\nc")).toEqual(["a", "b", "c"]);
});
