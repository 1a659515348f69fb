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

test("what tells most at its end is cut at its start, and columns that may go do, the lowest number first", () => {
  const urls: readonly TableColumn[] = [
    { heading: "URL", gives: "start" },
    { heading: "A", goes: 2 },
    { heading: "B", goes: 1 },
  ];
  const rows = [[`https://h/${"x".repeat(40)}/web.tar`, "a".repeat(8), "b".repeat(8)]];
  const at = (limit: number): string | undefined => tableLines(urls, rows, plain, limit)[1];
  expect(at(50)).toBe(`…${"x".repeat(21)}/web.tar  aaaaaaaa  bbbbbbbb`);
  expect(at(30)).toBe(`…${"x".repeat(11)}/web.tar  aaaaaaaa`);
  expect(at(20)).toBe(`…${"x".repeat(11)}/web.tar`);
});

test("a column keeps its least as long as others can go", () => {
  const urls: readonly TableColumn[] = [
    { heading: "URL", gives: "middle", least: 30 },
    { heading: "A", goes: 1 },
  ];
  const rows = [[`https://h/${"x".repeat(40)}/web.tar`, "a".repeat(8)]];
  const at = (limit: number): string | undefined => tableLines(urls, rows, plain, limit)[1];
  expect(at(40)).toBe(`https://h/xxxxx…${"x".repeat(6)}/web.tar  aaaaaaaa`);
  expect(at(36)).toBe(`https://h/${"x".repeat(8)}…${"x".repeat(9)}/web.tar`);
  expect(at(20)).toBe("https://h/…x/web.tar");
});

test("a table fits any terminal of some width, whatever is in it", () => {
  const cell = fc.string({ unit: "grapheme", maxLength: 80 });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, fc.constantFrom("1 B", "12.3 MB"), cell)), fc.integer({ min: 44, max: 200 }), (rows, limit) => {
      for (const line of tableLines(columns, rows, plain, limit)) expect(columnsOf(line)).toBeLessThanOrEqual(limit);
    }),
  );
});
