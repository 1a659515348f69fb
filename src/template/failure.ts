import { TemplateError } from "../base/errors.js";
import { isRecord } from "../base/is-record.js";
import { nearest } from "../base/nearest.js";
import type { Place } from "../base/place.js";
import { withoutGuards } from "./guard.js";

/** What minijinja says when it fails. */
export type Failure = {
  readonly message: string;
  /** The template's id and line. */
  readonly id: string;
  readonly line: number;
  /** What it marked in that line, with what belongs to it on the left. */
  readonly marked: string | undefined;
  /** Where the real reason is, of which minijinja says nothing: in an included template, or in a block of the parent. */
  readonly inside: { readonly kind: "template"; readonly id: string } | { readonly kind: "super" } | undefined;
};

/** A line of a template, with its text. */
export type SourceLine = { readonly at: Place; readonly text: string };

/** Reads minijinja's message, which has the place in its first line and, in debug mode, the source with the place marked below. */
export function readFailure(text: string): Failure | undefined {
  const match = /^(.*?) \(in (t\d+):(\d+)\)/s.exec(text);
  if (!match) return undefined;
  const [, message = "", id = "", line] = match;
  const included = /^could not render include: error in "(t\d+)"/.exec(message)?.[1];
  return {
    message,
    id,
    line: Number(line),
    marked: markedIn(text),
    inside: included ? { kind: "template", id: included } : message.endsWith("error in super block") ? { kind: "super" } : undefined,
  };
}

/** The error for people: file and line, what is wrong, where in the line, and what would be right. */
export function templateError(
  { at, text }: SourceLine,
  { message, marked }: Pick<Failure, "message" | "marked">,
  variables: Readonly<Record<string, unknown>>,
  hint?: string,
): TemplateError {
  const isUndefined = /^undefined value$|types? undefined\b|^unknown method: undefined /.test(message);
  // Of `a.method()` it is `a` that is undefined.
  const method = message.startsWith("unknown method") ? /\.\w+\(.*$/s : "";
  const expression = marked?.replace(isUndefined ? method : "", "");
  const found = isUndefined && expression ? undefinedIn(expression, variables) : undefined;
  const what = found ? `undefined variable ${JSON.stringify(found.name)}` : message;
  return new TemplateError(at, what, { hint: hint ?? found?.hint, ...spotOf(found?.name ?? expression, text) });
}

/** Where a part of a line stands, not within a longer name, if it is there once. */
function spotOf(part: string | undefined, line: string): Pick<TemplateError, "near" | "column"> | undefined {
  if (!part) return undefined;
  const literal = part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const start = /^[\p{L}\p{N}_]/u.test(part) ? "(?<![\\p{L}\\p{N}_.])" : "";
  const end = /[\p{L}\p{N}_]$/u.test(part) ? "(?![\\p{L}\\p{N}_])" : "";
  const [first, ...others] = line.matchAll(new RegExp(`${start}${literal}${end}`, "gu"));
  return first && others.length === 0 ? { near: part, column: first.index } : undefined;
}

/** The text above the carets, and what stands directly before it: of `a.b.c` minijinja marks `.b.c` alone. */
function markedIn(text: string): string | undefined {
  const match = /^ *\d+ > (.*)\n {5}i ( *)(\^+)/m.exec(text);
  if (!match) return undefined;
  const [, line = "", before = "", carets = ""] = match;
  const characters = [...line];
  const left = /[\w.[\]'"]*$/.exec(withoutGuards(characters.slice(0, before.length).join("")))?.[0] ?? "";
  return left + withoutGuards(characters.slice(before.length, before.length + carets.length).join(""));
}

/** The shortest part of an expression that is undefined, such as `server.prot`, and the names that there are instead. */
function undefinedIn(
  expression: string,
  variables: Readonly<Record<string, unknown>>,
): { readonly name: string; readonly hint?: string | undefined } {
  let [owner, ownerName]: [unknown, string | undefined] = [variables, undefined];
  for (const { key, end } of stepsOf(expression)) {
    const name = expression.slice(0, end);
    const value = typeof owner === "object" && owner !== null && Object.hasOwn(owner, key) ? Reflect.get(owner, key) : undefined;
    // A name that the template itself has set may have anything behind it.
    if (value === undefined) return { name: ownerName === undefined ? expression : name, hint: hintOf(key, ownerName, owner) };
    [owner, ownerName] = [value, name];
  }
  return { name: expression };
}

/** The keys by which an expression such as `a.b[0]['c']` goes from one value to the next, and where each ends; not those that are computed. */
function stepsOf(expression: string): readonly { readonly key: string; readonly end: number }[] {
  const step = /(?:^|\.)([\p{L}_][\p{L}\p{N}_]*)|\[(?:(\d+)|'([^'\\]*)'|"([^"\\]*)")\]/uy;
  const steps: { readonly key: string; readonly end: number }[] = [];
  for (let match = step.exec(expression); match; match = step.exec(expression)) {
    steps.push({ key: match.slice(1).find((key) => key !== undefined) ?? "", end: step.lastIndex });
  }
  return steps;
}

function hintOf(key: string, ownerName: string | undefined, owner: unknown): string | undefined {
  if (Array.isArray(owner)) return `${ownerName} has ${owner.length} item${owner.length === 1 ? "" : "s"}`;
  if (!isRecord(owner)) return undefined;
  const candidates = Object.keys(owner);
  const near = nearest(key, candidates);
  const sorted = near === undefined ? candidates : [near, ...candidates.filter((candidate) => candidate !== near)];
  const list = sorted.length > maxListed ? [...sorted.slice(0, maxListed), "…"] : sorted;
  const rest = `${ownerName === undefined ? "there are" : `${ownerName} has`} ${list.join(", ") || "none"}`;
  return near === undefined ? rest : `did you mean ${near}? ${rest}`;
}

const maxListed = 20;
