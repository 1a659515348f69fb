import { shortDigest } from "../../base/digest.js";
import type { ImageRow } from "../../engine/image/list.js";
import { printable } from "../printable.js";
import { showAge, showBytes } from "../quantity.js";
import type { Paint } from "../style.js";
import { type TableColumn, tableLines } from "../table.js";

/** The URL and the digest are what other commands ask for: the rest goes first. */
const columns: readonly TableColumn[] = [
  { heading: "IMAGE", gives: "middle", least: 48 },
  { heading: "DIGEST", goes: 6 },
  { heading: "ARCHIVE", right: true, goes: 3 },
  { heading: "ON DISK", right: true, goes: 2 },
  { heading: "AGE", goes: 4 },
  { heading: "LAYERS", right: true, goes: 1 },
  { heading: "MACHINES", gives: true, goes: 5 },
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
