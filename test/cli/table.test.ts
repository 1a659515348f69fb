import fc from "fast-check";
import { expect, test } from "vitest";
import { columnsOf } from "../../src/cli/columns.js";
import { type TableColumn, tableLines } from "../../src/cli/table.js";

const plain = (_: unknown, text: string): string => text;
const columns: readonly TableColumn[] = [
  { heading: "NAME", gives: true },
  { heading: "SIZE", right: true },
  { heading: "NOTE", gives: true },
];

test("columns are as wide as what is in them, numbers at the right, nothing behind the last word", () => {
  expect(
    tableLines(
      columns,
      [
        ["a", "10 kB", ""],
        ["日本", "1 B", "x"],
      ],
      plain,
      undefined,
    ),
  ).toEqual(["NAME   SIZE  NOTE", "a     10 kB", "日本    1 B  x"]);
});

test("where it is too narrow, the widest column that gives is cut", () => {
  const rows = [["x".repeat(60), "10 kB", "y".repeat(20)]];
  expect(tableLines(columns, rows, plain, 60)[1]).toBe(`${"x".repeat(30)}…  10 kB  ${"y".repeat(20)}`);
});

test("a table fits any terminal of some width, whatever is in it", () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 80 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, fc.constantFrom("1 B", "12.3 MB"), cell)), fc.integer({ min: 44, max: 200 }), (rows, limit) => {
      for (const line of tableLines(columns, rows, plain, limit)) expect(columnsOf(line)).toBeLessThanOrEqual(limit);
    }),
  );
});
