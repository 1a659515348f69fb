import { columnsOf, cutMiddleToColumns, cutStartToColumns, cutToColumns } from "./columns.js";
import type { Paint } from "./style.js";

/**
 * A column of a table. `right`: its cells stand at its right; `gives`: it is cut where the table would be too wide, at its end, its start or
 * in its middle; it keeps `least` columns as long as others can go; `goes`: where that is not enough the column is left out, the one with
 * the lowest number first.
 */
export type TableColumn = {
  readonly heading: string;
  readonly right?: boolean;
  readonly gives?: boolean | "start" | "middle";
  readonly least?: number;
  readonly goes?: number;
};

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
      .flatMap(({ right, gives }, at) => {
        const width = widths[at];
        if (width === undefined) return [];
        const text = cutters[gives === true || !gives ? "end" : gives](cells[at] ?? "", width);
        const space = " ".repeat(width - columnsOf(text));
        return [right ? space + text : text + space];
      })
      .join(gap)
      .trimEnd();
  return [paint("bold", line(columns.map(({ heading }) => heading))), ...rows.map(line)];
}

const cutters = { end: cutToColumns, start: cutStartToColumns, middle: cutMiddleToColumns };

/** Widths of the columns; undefined for those that are left out. */
function narrowed(columns: readonly TableColumn[], natural: readonly number[], limit: number | undefined): readonly (number | undefined)[] {
  const widths: (number | undefined)[] = [...natural];
  const total = (): number => widths.reduce<number>((sum, width) => sum + (width === undefined ? 0 : width + gap.length), -gap.length);
  const going = columns.map(({ goes }, at) => ({ goes, at })).filter(({ goes }) => goes !== undefined);
  going.sort((a, b) => (a.goes ?? 0) - (b.goes ?? 0));
  while (limit !== undefined && total() > limit) {
    // What is too much is taken from the widest of the columns that give.
    const least = (at: number): number => (going.length > 0 ? (columns[at]?.least ?? narrowest) : narrowest);
    const giving = widths.map((width = 0, at) => (columns[at]?.gives && width > least(at) ? width : 0));
    const widest = giving.indexOf(Math.max(...giving));
    if (giving[widest] !== 0) {
      widths[widest] = (widths[widest] ?? 0) - 1;
      continue;
    }
    const next = going.shift();
    if (!next) break;
    widths[next.at] = undefined;
    // There is room again for those that have given.
    for (const [at, width] of widths.entries()) if (width !== undefined) widths[at] = natural[at];
  }
  return widths;
}
