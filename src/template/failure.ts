import { NspawnError } from "../base/errors.js";
import { isRecord } from "../base/is-record.js";
import { nearest } from "../base/nearest.js";
import { undefinedMark } from "./source.js";

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

/** A line of a file, with its text. */
export type SourceLine = { readonly path: string; readonly line: number; readonly text: string };

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

/** The error for people: file and line, what is wrong, the line itself, and what would be right. */
export function templateError(
  at: SourceLine,
  { message, marked }: Pick<Failure, "message" | "marked">,
  variables: Readonly<Record<string, unknown>>,
  hint?: string,
): NspawnError {
  const isUndefined = /^undefined value$|types? undefined\b|^unknown method: undefined /.test(message);
  // Of `a.method()` it is `a` that is undefined.
  const method = message.startsWith("unknown method") ? /\.\w+\(.*$/s : "";
  const expression = marked?.replace(`.${undefinedMark}`, "").replace(isUndefined ? method : "", "");
  const found = isUndefined && expression !== undefined ? undefinedIn(expression, variables) : undefined;
  const what = found ? `undefined variable ${JSON.stringify(found.name)}` : message;
  return new NspawnError(`${at.path}:${at.line}: ${what}${quote(at, found?.name ?? expression)}`, { hint: hint ?? found?.hint });
}

/** The text above the carets, and what stands directly before it: of `a.b.c` minijinja marks `.b.c` alone. */
function markedIn(text: string): string | undefined {
  const match = /^ *\d+ > (.*)\n {5}i ( *)(\^+)/m.exec(text);
  if (!match) return undefined;
  const [, line = "", before = "", carets = ""] = match;
  const characters = [...line];
  const left = /[\w.[\]'"]*$/.exec(characters.slice(0, before.length).join(""))?.[0] ?? "";
  return left + characters.slice(before.length, before.length + carets.length).join("");
}

/** The shortest part of an expression that is undefined, such as `server.prot`, and the names that there are instead. */
function undefinedIn(expression: string, variables: Readonly<Record<string, unknown>>): { readonly name: string; readonly hint: string } {
  const names = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*/u.exec(expression)?.[0].split(".") ?? [];
  let record = variables;
  for (const [index, name] of names.entries()) {
    const value = record[name];
    if (isRecord(value)) {
      record = value;
      continue;
    }
    // A name that the template itself has set may have anything behind it.
    const path = Object.hasOwn(record, name) || index > 0 ? names.slice(0, index + 1) : names;
    const owner = index > 0 ? `${names.slice(0, index).join(".")} has` : "there are";
    return { name: path.join("."), hint: hintOf(name, owner, Object.keys(record)) };
  }
  return { name: expression, hint: hintOf(expression, "there are", Object.keys(variables)) };
}

function hintOf(name: string, owner: string, candidates: readonly string[]): string {
  const near = nearest(name, candidates);
  const sorted = near === undefined ? candidates : [near, ...candidates.filter((candidate) => candidate !== near)];
  const list = sorted.length > maxListed ? [...sorted.slice(0, maxListed), "…"] : sorted;
  return `${near === undefined ? "" : `did you mean ${near}? `}${owner} ${list.join(", ") || "none"}`;
}

const maxListed = 20;
const maxWidth = 160;

/** The line as it is in the file, with carets below the part that is meant, if it is there once. */
function quote({ line, text }: SourceLine, part: string | undefined): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would act on the terminal
  const shown = text.slice(0, maxWidth).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "�");
  const number = String(line).padStart(4);
  const start = part === undefined || part === "" ? -1 : shown.indexOf(part);
  const carets =
    start < 0 || shown.indexOf(part ?? "", start + 1) >= 0
      ? ""
      : `\n     | ${shown.slice(0, start).replace(/[^\t]/gu, " ")}${"^".repeat([...(part ?? "")].length)}`;
  return `\n${number} | ${shown}${carets}`;
}
