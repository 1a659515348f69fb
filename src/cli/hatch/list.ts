import type { ServiceRow } from "../../hatch/list.js";
import type { Paint } from "../style.js";
import { type TableColumn, tableLines } from "../table.js";

const columns: readonly (TableColumn & { readonly cell: (row: ServiceRow) => string })[] = [
  { heading: "SERVICE", cell: ({ name }) => name },
  { heading: "STATE", cell: ({ state }) => state },
  { heading: "WHAT IT DOES", gives: true, cell: ({ summary }) => summary },
];

/** Services for people. `limit`: columns of the terminal. */
export function serviceTable(rows: readonly ServiceRow[], paint: Paint, limit: number | undefined): readonly string[] {
  return tableLines(
    columns,
    rows.map((row) => columns.map(({ cell }) => cell(row))),
    paint,
    limit,
  );
}
