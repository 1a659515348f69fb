import { columnsOf, cutToColumns } from "./columns.js";
import type { Paint } from "./style.js";

/** A column of a table. `right`: its cells stand at its right; `gives`: it is cut where the table would be too wide. */
export type TableColumn = { readonly heading: string; readonly right?: boolean; readonly gives?: boolean };

/** Columns that a cell keeps at least, however narrow the terminal. */
const narrowest = 16;
const gap = "  ";

/**
 * A table in lines, its headings first.
 * @param rows printable texts, as many as there are columns
 * @param limit columns of the terminal; undefined: nothing is cut
 */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  paint: Paint,
  limit: number | undefined,
): readonly string[] {
  const natural = columns.map(({ heading }, at) => Math.max(...[heading, ...rows.map((row) => row[at] ?? "")].map(columnsOf)));
  const widths = narrowed(columns, natural, limit);
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, at) => {
        const width = widths[at] ?? 0;
        const text = cutToColumns(cells[at] ?? "", width);
        const space = " ".repeat(width - columnsOf(text));
        return right ? space + text : text + space;
      })
      .join(gap)
      .trimEnd();
  return [paint("bold", line(columns.map(({ heading }) => heading))), ...rows.map(line)];
}

/** What is too much is taken from the columns that give, from the widest of them first. */
function narrowed(columns: readonly TableColumn[], natural: readonly number[], limit: number | undefined): readonly number[] {
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, width) => sum + width, gap.length * (columns.length - 1));
  while (limit !== undefined && total() > limit) {
    const giving = widths.map((width, at) => (columns[at]?.gives && width > narrowest ? width : 0));
    const widest = giving.indexOf(Math.max(...giving));
    if (giving[widest] === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
