import { shortDigest } from "../../base/digest.js";
import type { ImageRow } from "../../engine/image/list.js";
import { printable } from "../printable.js";
import { showAge, showBytes } from "../quantity.js";
import type { Paint } from "../style.js";
import { type TableColumn, tableLines } from "../table.js";

const columns: readonly TableColumn[] = [
  { heading: "IMAGE", gives: true },
  { heading: "DIGEST" },
  { heading: "ARCHIVE", right: true },
  { heading: "ON DISK", right: true },
  { heading: "AGE" },
  { heading: "LAYERS", right: true },
  { heading: "MACHINES", gives: true },
];

/** Images for people. `limit`: columns of the terminal. */
export function imageTable(rows: readonly ImageRow[], paint: Paint, limit: number | undefined, now: Date): readonly string[] {
  if (rows.length === 0) return ["the store has no images"];
  const cells = rows.map((row) => [
    nameOf(row),
    shortDigest(row.digest).slice("sha256:".length),
    showBytes(row.bytes),
    row.extracted === undefined ? "" : showBytes(row.extracted),
    row.time === undefined ? "" : showAge((now.getTime() - Date.parse(row.time)) / 1000),
    row.layers === undefined ? "?" : String(row.layers),
    row.machines.map(printable).join(" "),
  ]);
  return tableLines(columns, cells, paint, limit);
}

function nameOf({ kind, url = "" }: ImageRow): string {
  switch (kind) {
    case "image":
      return printable(url);
    case "earlier":
      return `(earlier) ${printable(url)}`;
    case "bootstrap":
      return "(made by BOOTSTRAP)";
    case "unknown":
      return "(no URL any more)";
  }
}
