import { guardVariables } from "./guard.js";
import { findReferences } from "./references.js";

/** The filter that names of other templates go through: it gets the name, the id of the template that has the tag, and the tag's keyword. */
export const resolveFilter = "nspawn_template";

/**
 * A template's source with what minijinja lacks put into it, every line where it was: names of other templates go through
 * {@link resolveFilter}, so that they can be relative to this template, and undefined variables are errors everywhere.
 * @param id how the filter tells this template from others
 */
export function prepareSource(source: string, id: string): string {
  const guarded = guardVariables(source);
  let from = 0;
  const parts: string[] = [];
  for (const { keyword, name } of findReferences(guarded)) {
    parts.push(guarded.slice(from, name.start), `(${guarded.slice(name.start, name.end)})|${resolveFilter}("${id}", "${keyword}")`);
    from = name.end;
  }
  return parts.join("") + guarded.slice(from);
}
