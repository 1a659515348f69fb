import { structuredPatch } from "diff";
import { printable } from "../printable.js";
import type { Paint, Style } from "../style.js";

/** Lines around each change. */
const context = 2;

/** What changes in a unit, line by line, as diff(1) shows it. */
export function unitDiff(installed: string, planned: string, paint: Paint): readonly string[] {
  const { hunks } = structuredPatch("installed", "planned", installed, planned, "", "", { context });
  return hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    paint("cyan", `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`),
    ...lines.filter((line) => !line.startsWith("\\")).map((line) => paintLine(line, paint)),
  ]);
}

/** Where a hunk is; one without lines is behind the line that it names. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

function paintLine(line: string, paint: Paint): string {
  const styles: Readonly<Record<string, Style>> = { "+": "green", "-": "red" };
  const style = styles[line[0] ?? ""];
  return style === undefined ? printable(line) : paint(style, printable(line));
}
