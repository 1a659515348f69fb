import type { NspawnError } from "../../base/errors.js";
import { columnsOf } from "../columns.js";
import { printable } from "../printable.js";
import type { Paint } from "../style.js";

/** A plan that is ready to be shown: to people, or as fields of a JSON object. `refusal`: why the work would not even start. */
export type ShownPlan = {
  readonly lines: (paint: Paint) => readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly refusal: NspawnError | undefined;
};

/** An item of a plan, with a remark such as where it comes from. */
export type Item = readonly [text: string, remark?: string | undefined];

/** A heading with its items below it, the remarks in a column; nothing if there are no items. */
export function section(paint: Paint, heading: string, items: readonly Item[]): readonly string[] {
  if (items.length === 0) return [];
  const texts = items.map(([text]) => printable(text));
  const width = Math.min(60, Math.max(...texts.map(columnsOf)));
  return [
    paint("bold", heading),
    ...items.map(([, remark], index) => {
      const text = texts[index] ?? "";
      if (remark === undefined) return `  ${text}`;
      return `  ${text}${" ".repeat(Math.max(0, width - columnsOf(text)))}  ${paint("dim", printable(remark))}`;
    }),
  ];
}
