import { isRecord } from "../base/is-record.js";
import { findPieces, type Token } from "./tokens.js";

type Variables = Readonly<Record<string, unknown>>;

/**
 * Renders a template that has nothing but text, names of variables, and lists that are joined, as most have: that takes no interpreter, whose start takes
 * minijinja 80 ms.
 * @param values as of templateValues()
 * @returns what minijinja makes of it; undefined if the template has more, or a variable is no text: then that is to be asked
 */
export function renderPlain(source: string, values: Variables): string | undefined {
  const parts: string[] = [];
  let at = 0;
  for (const { kind, tokens, start, end } of findPieces(source)) {
    const value = kind === "expression" && !isSpecial(source.slice(start, end)) ? textOf(tokens, values) : undefined;
    if (value === undefined) return undefined;
    parts.push(source.slice(at, start), value);
    at = end;
  }
  parts.push(source.slice(at));
  // Comments and raw blocks are no pieces; and nothing that is not closed, which is an error.
  return parts.some((text, index) => index % 2 === 0 && /\{[{%#]/.test(text)) ? undefined : parts.join("");
}

/** Whether an expression takes white space with it, or has white space that is none to minijinja. */
function isSpecial(expression: string): boolean {
  return /^\{\{[-+]|[-+]\}\}$|(?![ \t\n\f\r])\s/.test(expression);
}

/** `name`, `name.part`, or either with `| join("text")`, between whose tokens there is a space. */
const plain = /^(?<path>[A-Za-z_]\w*(?: \. [A-Za-z_]\w*)*)(?<join> \| join \( (?:"(?<double>[^"\\]*)"|'(?<single>[^'\\]*)') \))?$/;

/** What an expression becomes. */
function textOf(tokens: readonly Token[], values: Variables): string | undefined {
  const { path, join, double, single } = plain.exec(tokens.map(({ text }) => text).join(" "))?.groups ?? {};
  if (path === undefined) return undefined;
  const value = find(path.split(" . "), values);
  if (join === undefined) return isText(value) ? value : undefined;
  return isTexts(value) ? value.join(double ?? single) : undefined;
}

function find([name = "", ...rest]: readonly string[], within: unknown): unknown {
  if (reserved.has(name) || !isRecord(within) || !Object.hasOwn(within, name)) return undefined;
  return rest.length === 0 ? within[name] : find(rest, within[name]);
}

/** Names that mean something else in Jinja, or may. */
const reserved = new Set([
  "true",
  "false",
  "none",
  "True",
  "False",
  "None",
  "not",
  "and",
  "or",
  "in",
  "is",
  "if",
  "else",
  "self",
  "super",
  "loop",
  "caller",
]);

/** A text that is the same in UTF-8. */
function isText(value: unknown): value is string {
  return typeof value === "string" && !/\p{Surrogate}/u.test(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
