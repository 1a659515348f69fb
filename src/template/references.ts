import { findPieces, indexOfToken, type Token } from "./tokens.js";

type Span = { readonly start: number; readonly end: number };

/** A tag that names other templates, such as `{% include "x" %}`: where the tag is in the source, and where the expression with the name. */
export type Reference = { readonly keyword: string; readonly tag: Span; readonly name: Span };

/** All tags of a source that name other templates, in their order. */
export function findReferences(source: string): readonly Reference[] {
  return findPieces(source).flatMap(({ kind, start, end, tokens }) => {
    const keyword = tokens[0]?.text ?? "";
    if (kind !== "tag" || !isReference(keyword)) return [];
    const name = tokens.slice(1, nameEnd(tokens));
    const [first, last] = [name[0], name.at(-1)];
    return first && last ? [{ keyword, tag: { start, end }, name: { start: first.start, end: last.end } }] : [];
  });
}

/** Whether a tag with this keyword names other templates. */
export function isReference(keyword: string): boolean {
  return ["include", "extends", "import", "from"].includes(keyword);
}

/** The index behind the last token of the expression in such a tag that gives the name; it begins at 1. */
export function nameEnd(tokens: readonly Token[]): number {
  switch (tokens[0]?.text) {
    case "import":
      return indexOfToken(tokens, "as", 1);
    case "from":
      return indexOfToken(tokens, "import", 1);
    case "include": {
      const options = ["ignore missing", "with context", "without context"];
      const index = tokens.findIndex(({ depth, text }, at) => at > 0 && depth === 0 && options.includes(`${text} ${tokens[at + 1]?.text}`));
      return index < 0 ? tokens.length : index;
    }
    default:
      return tokens.length;
  }
}
