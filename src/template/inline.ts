import { findReferences } from "./references.js";

/** A line of a template, from 1. */
type Origin = { readonly id: string; readonly line: number };

/** A template's text, and where each of its lines comes from. */
export type Composed = { readonly text: string; readonly origins: readonly Origin[] };

/** A template by itself. */
export function compose(id: string, text: string): Composed {
  return { text, origins: text.split("\n").map((_, index) => ({ id, line: index + 1 })) };
}

/**
 * Puts an included template where the tags of a line include it, so that an error in it is one of the whole text, with a line:
 * of an error in an included template minijinja says only that there is one. The result is for finding that line, not for its output.
 * @returns undefined if no tag of that line includes anything
 */
export function inline(outer: Composed, line: number, inner: Composed): Composed | undefined {
  const tags = findReferences(outer.text)
    .filter(({ keyword }) => keyword !== "extends")
    .map(({ tag }) => ({ ...tag, from: lineAt(outer.text, tag.start), to: lineAt(outer.text, tag.end) }))
    .filter(({ from, to }) => from <= line && line <= to);
  if (tags.length === 0) return undefined;
  // From the last to the first, so that places before stay what they are.
  return tags.reduceRight(
    ({ text, origins }, { start, end, from, to }) => ({
      text: `${text.slice(0, start)}{% with %}\n${inner.text}\n{% endwith %}${text.slice(end)}`,
      origins: [...origins.slice(0, from), ...inner.origins, ...origins.slice(to - 1)],
    }),
    outer,
  );
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
