import { shortDigest } from "../../base/digest.js";
import type { MachineRow } from "../../engine/machine/row.js";
import { printable } from "../printable.js";
import { showAge, showElapsed } from "../quantity.js";
import type { Paint } from "../style.js";
import { type TableColumn, tableLines } from "../table.js";
import { cpuWords, memoryWords, networkWords } from "./words.js";

/** A column with its cells. */
type Column = TableColumn & { readonly cell: (row: MachineRow, now: Date) => string };

const columns: readonly Column[] = [
  { heading: "NAME", gives: true, cell: ({ name }) => printable(name) },
  { heading: "STATE", cell: ({ state }) => state },
  { heading: "ENABLED", goes: 5, cell: ({ enabled }) => (enabled ? "yes" : "no") },
  { heading: "IMAGE", gives: "start", cell: ({ image, ours }) => (ours ? printable(image?.url ?? "?") : "(not of nspawn)") },
  { heading: "DIGEST", goes: 3, cell: ({ image }) => (image ? shortDigest(image.digest).slice("sha256:".length) : "") },
  { heading: "AGE", goes: 4, cell: ({ image }, now) => (image?.time ? showAge((now.getTime() - Date.parse(image.time)) / 1000) : "") },
  { heading: "NEWER", cell: ({ newer }) => newer?.answer ?? "" },
  { heading: "ADDRESS", gives: true, cell: networkWords },
  { heading: "UPTIME", goes: 6, cell: ({ uptime }) => (uptime === undefined ? "" : showElapsed(uptime)) },
  { heading: "CPU", right: true, goes: 2, cell: ({ usage }) => cpuWords(usage) },
  { heading: "MEMORY", right: true, goes: 7, cell: ({ usage }) => memoryWords(usage) },
  { heading: "TASKS", right: true, goes: 1, cell: ({ usage }) => String(usage.tasks ?? "") },
];

/** Machines for people, and below them why a URL's answer is not known. `limit`: columns of the terminal. */
export function machineTable(rows: readonly MachineRow[], paint: Paint, limit: number | undefined, now: Date): readonly string[] {
  if (rows.length === 0) return ["this host has no machines of nspawn"];
  const asked = rows.some(({ newer }) => newer !== undefined);
  const shown = columns.filter(({ heading }) => heading !== "NEWER" || asked);
  return [
    ...tableLines(
      shown,
      rows.map((row) => shown.map(({ cell }) => cell(row, now))),
      paint,
      limit,
    ),
    ...unknownLines(rows, paint),
  ];
}

/** Each reason once. */
function unknownLines(rows: readonly MachineRow[], paint: Paint): readonly string[] {
  const whys = rows.flatMap(({ newer, image }) => (newer?.answer === "unknown" ? [`${image?.url}: ${newer.why}`] : []));
  return [...new Set(whys)].map((why) => paint("dim", `not known: ${printable(why)}`));
}
