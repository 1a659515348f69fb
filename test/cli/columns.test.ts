import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf, cutMiddleToColumns, cutToColumns } from "../../src/cli/columns.js";

describe("columns of a terminal", () => {
  test.each([
    ["plain", 5],
    ["", 0],
    ["äöü", 3],
    ["e\u0301", 1],
    ["日本語", 6],
    ["한국", 4],
    ["ｆｕｌｌ", 8],
    ["🚀", 2],
    ["👩‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["✓ →│", 4],
    ["\u200b", 0],
  ])("of %j are %i", (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  test("a text that is cut fits, and begins like the whole", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 30 }).filter((line) => !/\p{Cc}/u.test(line));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (line, limit) => {
        const cut = cutToColumns(line, limit);
        expect(columnsOf(cut)).toBeLessThanOrEqual(limit);
        if (cut !== line) expect(cut.endsWith("…") && line.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
  });

  test("what fits is not cut, and nothing is cut within a character", () => {
    expect(cutToColumns("12345", 5)).toBe("12345");
    expect(cutToColumns("123456", 5)).toBe("1234…");
    expect(cutToColumns("日本語", 5)).toBe("日本…");
    expect(cutToColumns("日本語", 4)).toBe("日…");
    expect(cutToColumns("x", 0)).toBe("");
  });

  test("a text that is cut in its middle fits, and begins and ends like the whole", () => {
    expect(cutMiddleToColumns("https://images.example.org/debian/web.tar.zst", 24)).toBe("https://imag…web.tar.zst");
    const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((line) => !/[\p{Cc}…]/u.test(line));
    fc.assert(
      fc.property(text, fc.integer({ min: 5, max: 30 }), (line, limit) => {
        const cut = cutMiddleToColumns(line, limit);
        expect(columnsOf(cut)).toBeLessThanOrEqual(limit);
        const [start = "", end = ""] = cut.split("…");
        if (cut !== line) expect(cut.includes("…") && line.startsWith(start) && line.endsWith(end)).toBe(true);
        else expect(columnsOf(line)).toBeLessThanOrEqual(limit);
      }),
    );
  });
});
