import { readFileSync } from "node:fs";
import type { Place } from "../base/place.js";

/** What is looked for in a call: the names of fields, one inside the other, then a text; without fields it may be a field's name itself. */
export type Wrong = { readonly fields: readonly string[]; readonly near?: string | undefined };

/** Characters of one call at most; what lies further behind is not looked at. */
const longest = 20_000;

/** The text of a script's calls, for a problem to name the very line that has the wrong word: a call may span many. */
export class Statements {
  readonly #sources = new Map<string, readonly string[]>();

  /** The line of a keyword's call where something is wrong. What is not found is passed over; the call's own line if nothing is. */
  lineOf(at: Place, keyword: string, { fields, near = "" }: Wrong): Place {
    const lines = callLines(this.#lines(at.file).slice(Math.max(0, at.line - 1)), keyword);
    let offset = 0;
    const goTo = (...ways: readonly ((line: string) => boolean)[]): void => {
      const found = ways.map((isThere) => lines.findIndex((line, number) => number >= offset && isThere(line)));
      offset = found.find((index) => index >= 0) ?? offset;
    };
    const asName =
      (word: string) =>
      (line: string): boolean =>
        isNamed(line, word);
    const asWord =
      (word: string) =>
      (line: string): boolean =>
        hasWord(line, word);
    for (const field of fields) goTo(asName(field), asWord(field));
    goTo(...(fields.length === 0 ? [asName(near)] : []), asWord(near), asWord(escaped(near)));
    return { file: at.file, line: at.line + offset };
  }

  #lines(file: string): readonly string[] {
    const known = this.#sources.get(file);
    if (known) return known;
    const lines = readLines(file);
    this.#sources.set(file, lines);
    return lines;
  }
}

function readLines(file: string): readonly string[] {
  try {
    // The ends of lines of JavaScript (ECMA-262, 12.3).
    return readFileSync(file, "utf8").split(/\r\n|[\n\r\u2028\u2029]/);
  } catch {
    // Gone meanwhile, or a module that never was a file.
    return [];
  }
}

/** A text as a string literal has it. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Whether a line has the text, not as a part of a longer word. */
function hasWord(line: string, near: string): boolean {
  return wordAt(line, near, () => true);
}

/** Whether a line has the text as the name of a field: before a colon. */
function isNamed(line: string, name: string): boolean {
  return wordAt(line, name, (end) => /^["']?\s*:/.test(line.slice(end)));
}

/** Whether a line has the text, as a word, at a place where what follows it is right. */
function wordAt(line: string, word: string, follows: (end: number) => boolean): boolean {
  if (word === "") return false;
  for (let from = line.indexOf(word); from >= 0; from = line.indexOf(word, from + 1)) {
    const end = from + word.length;
    if (!isWordAt(line, from - 1, word[0]) && !isWordAt(line, end, word.at(-1)) && follows(end)) return true;
  }
  return false;
}

/** Whether the character at `index` continues the word that `edge` is the first or last character of. */
function isWordAt(line: string, index: number, edge: string | undefined): boolean {
  const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_$]/u.test(char);
  return isWord(edge) && isWord(line[index]);
}

/**
 * The lines from a call's keyword, which is on the first of them, to its closing parenthesis; the first line alone if that is not found.
 * Comments are left empty, parentheses in texts do not count, and templates are taken as texts.
 */
function callLines(lines: readonly string[], keyword: string): readonly string[] {
  const source = lines.join("\n").slice(0, longest);
  const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|[()]/g;
  let end = Math.max(0, lines[0]?.search(new RegExp(`\\b${keyword}\\s*\\(`)) ?? 0);
  let text = "";
  let depth = 0;
  tokens.lastIndex = end;
  for (let match = tokens.exec(source); match; match = tokens.exec(source)) {
    const [token] = match;
    text += source.slice(end, match.index) + (token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token);
    end = tokens.lastIndex;
    if (token === "(") depth++;
    else if (token === ")" && --depth <= 0) return text.split("\n");
  }
  return lines.slice(0, 1);
}
