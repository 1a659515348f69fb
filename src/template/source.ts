/** A tag that names other templates, such as `{% include "x" %}`: where the tag is in the source, and where the expression with the name. */
export type Reference = { readonly keyword: string; readonly tag: Span; readonly name: Span };

type Span = { readonly start: number; readonly end: number };

/** The filter that names of other templates go through: it gets the name, the id of the template that has the tag, and the tag's keyword. */
export const resolveFilter = "nspawn_template";

/** An attribute that nothing has: to read it from what is undefined is an error, as it should be without it. */
export const undefinedMark = "nspawn_undefined";

/**
 * A template's source with what minijinja lacks put into it, every line where it was: names of other templates go through
 * {@link resolveFilter}, so that they can be relative to this template; and an undefined variable is an error before a filter and beside
 * an operator too, where minijinja takes it for empty or false even in strict mode (Jinja's StrictUndefined does not).
 * @param id how the filter tells this template from others
 */
export function prepareSource(source: string, id: string): string {
  return resolveNames(source.replace(piece, guardOperands), id);
}

/** All tags of a source that name other templates, in their order. */
export function findReferences(source: string): readonly Reference[] {
  return [...source.matchAll(piece)].flatMap(({ 0: text, index }) => {
    const match = /^(\{%[-+]?\s*(include|extends|import|from)\b\s*)(.*?)\s*[-+]?%\}$/s.exec(text);
    if (!match) return [];
    const [, head = "", keyword = "", body = ""] = match;
    const name = body.slice(0, nameLength(keyword, body)).trimEnd();
    const start = index + head.length;
    return [{ keyword, tag: { start: index, end: index + text.length }, name: { start, end: start + name.length } }];
  });
}

function resolveNames(source: string, id: string): string {
  let from = 0;
  const parts: string[] = [];
  for (const { keyword, name } of findReferences(source)) {
    parts.push(source.slice(from, name.start), `(${source.slice(name.start, name.end)})|${resolveFilter}("${id}", "${keyword}")`);
    from = name.end;
  }
  return parts.join("") + source.slice(from);
}

const string = `"(?:\\\\[^]|[^"\\\\])*"|'(?:\\\\[^]|[^'\\\\])*'`;

/** A comment, a raw block, a tag or an expression; all else is text. */
const piece = new RegExp(
  [
    "\\{#[^]*?#\\}",
    "\\{%[-+]?\\s*raw\\s*[-+]?%\\}[^]*?\\{%[-+]?\\s*endraw\\s*[-+]?%\\}",
    `\\{%(?:${string}|[^"'])*?%\\}`,
    `\\{\\{(?:${string}|[^"'])*?\\}\\}`,
  ].join("|"),
  "g",
);

/** What follows the name in a tag. */
const afterName: Readonly<Record<string, RegExp>> = {
  include: /\b(ignore\s+missing|with\s+context|without\s+context)\b/,
  import: /\bas\b/,
  from: /\bimport\b/,
};

function nameLength(keyword: string, body: string): number {
  const withoutStrings = body.replace(new RegExp(string, "g"), (text) => '"'.repeat(text.length));
  const end = afterName[keyword] ? withoutStrings.search(afterName[keyword]) : -1;
  return end < 0 ? body.length : end;
}

/** A part of an expression; `text` of a name has its attributes: `a.b.c`. */
type Token = { readonly kind: "name" | "other"; readonly text: string; readonly start: number };

const tokenPattern = new RegExp(`${string}|\\d[\\w.]*|([\\p{L}_][\\p{L}\\p{N}_]*(?:\\.[\\p{L}_][\\p{L}\\p{N}_]*)*)|[=!<>]=|\\S`, "gu");

const keywords = new Set("if else is in not and or true false none True False None recursive as import".split(" "));
const operators = new Set("== != < <= > >= ~ in not and or if".split(" "));

/** Makes names in a tag or expression an error if they are undefined, where that would otherwise go unnoticed. */
function guardOperands(text: string): string {
  if (text.startsWith("{#")) return text;
  const tokens = [...text.matchAll(tokenPattern)].map(
    ({ 0: token, 1: name, index }): Token => ({ kind: name === undefined ? "other" : "name", text: token, start: index }),
  );
  let from = 0;
  const parts: string[] = [];
  for (let index = firstOperand(tokens); index < tokens.length; index++) {
    const token = tokens[index];
    if (!token || !isUnguarded(tokens, index)) continue;
    const { text: name, start } = token;
    parts.push(text.slice(from, start), `(${name} if ${name} is defined else ${name}.${undefinedMark})`);
    from = start + name.length;
  }
  return parts.join("") + text.slice(from);
}

/** The index of the first token that may be an operand: after the keyword of a tag, and after what a tag defines. */
function firstOperand(tokens: readonly Token[]): number {
  const first = tokens.findIndex(({ kind }) => kind === "name");
  if (tokens[1]?.text !== "%") return 0;
  const after = (text: string): number => {
    const index = tokens.findIndex((token) => token.text === text);
    return index < 0 ? tokens.length : index + 1;
  };
  switch (tokens[first]?.text) {
    case "for":
      return after("in");
    case "set":
      return after("=");
    case "raw":
    case "filter":
      return tokens.length;
    default:
      return first + 1;
  }
}

function isUnguarded(tokens: readonly Token[], index: number): boolean {
  const text = (offset: number): string => tokens[index + offset]?.text ?? "";
  if (tokens[index]?.kind !== "name" || keywords.has(text(0))) return false;
  // The name of a filter, of a test, of what is called, assigned or tested; and what has a part behind it, which is an error by itself.
  if (text(-1) === "|" || text(-1) === "is" || (text(-1) === "not" && text(-2) === "is")) return false;
  if (["(", "[", "=", ".", "is"].includes(text(1)) || text(-1) === ".") return false;
  if (text(1) === "|") return text(2) !== "default" && text(2) !== "d";
  return operators.has(text(-1)) || (operators.has(text(1)) && text(1) !== "not") || (text(1) === "not" && text(2) === "in");
}
