import { type Waste, wasteName } from "../../engine/image/waste.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import type { Paint } from "../style.js";

/** What would be removed, for people. */
export function wasteLines(waste: readonly Waste[], paint: Paint): readonly string[] {
  if (waste.length === 0) return ["nothing to remove"];
  const width = Math.max(...waste.map(({ kind }) => kind.length));
  return [
    ...waste.map(
      (item) =>
        `${paint("dim", item.kind.padEnd(width))}  ${printable(wasteName(item))}${item.bytes > 0 ? `  ${showBytes(item.bytes)}` : ""}`,
    ),
    `${showBytes(totalOf(waste))} would be free`,
  ];
}

/** The same for programs. */
export function wasteData(waste: readonly Waste[]): Readonly<Record<string, unknown>> {
  return { items: waste, bytes: totalOf(waste) };
}

function totalOf(waste: readonly Waste[]): number {
  return waste.reduce((sum, { bytes }) => sum + bytes, 0);
}
