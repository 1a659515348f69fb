import { readFileSync } from "node:fs";
import type { Problem } from "../base/errors.js";
import type { Place } from "../base/place.js";

/** What is looked for in a call: the names of fields, one inside the other, then a text; without fields it may be a field's name itself. */
export type Wrong = { readonly fields: readonly string[]; readonly near?: string | undefined };

/** Characters of one call at most; what lies further behind is not looked at. */
const longest = 20_000;

/** Characters between a field's name and its colon, at most. */
const longestGap = 100;

/** Where a problem stands: what a {@link Problem} says of it. */
type Spot = Pick<Problem, "at" | "near" | "column">;

/** An occurrence of a word in a text. */
type Found = { readonly index: number; readonly length: number };

/** The text of a script's calls, for a problem to name the very word that is wrong: a call may span many lines. */
export class Statements {
  readonly #sources = new Map<string, readonly string[]>();

  /** The place in a keyword's call where something is wrong. What is not found is passed over; the call's own line if nothing is. */
  spot(at: Place, keyword: string, { fields, near = "" }: Wrong): Spot {
    const call = callText(this.#lines(at.file).slice(Math.max(0, at.line - 1)), keyword);
    let found: Found | undefined;
    const goTo = (...ways: readonly ((from: number) => Found | undefined)[]): void => {
      const from = found ? found.index + found.length : 0;
      for (const find of ways) {
        const next = find(from);
        if (next) {
          found = next;
          return;
        }
      }
    };
    const asName = (word: string) => (from: number) => wordIn(call, word, from, isName);
    const asWord = (word: string) => (from: number) => wordIn(call, word, from, () => true);
    for (const field of fields) goTo(asName(field), asWord(field));
    goTo(...(fields.length === 0 ? [asName(near)] : []), asWord(near), asWord(escaped(near)));
    if (!found) return { at, near: near === "" ? undefined : near };
    const before = call.slice(0, found.index).split("\n");
    const column = before.at(-1)?.length ?? 0;
    return { at: { file: at.file, line: at.line + before.length - 1 }, near: call.slice(found.index, found.index + found.length), column };
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

/** Whether what follows makes a word the name of a field: a colon. */
function isName(following: string): boolean {
  return /^["']?\s*:/.test(following);
}

/** The first occurrence of a text from a place on, not as a part of a longer word, and followed by what is right. */
function wordIn(text: string, word: string, start: number, follows: (following: string) => boolean): Found | undefined {
  if (word === "") return undefined;
  for (let index = text.indexOf(word, start); index >= 0; index = text.indexOf(word, index + 1)) {
    const end = index + word.length;
    const isWhole = !isWordAt(text, index - 1, word[0]) && !isWordAt(text, end, word.at(-1));
    if (isWhole && follows(text.slice(end, end + longestGap))) return { index, length: word.length };
  }
  return undefined;
}

/** Whether the character at `index` continues the word that `edge` is the first or last character of. */
function isWordAt(text: string, index: number, edge: string | undefined): boolean {
  const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_$]/u.test(char);
  return isWord(edge) && isWord(text[index]);
}

/**
 * The text from a call's keyword, which is on the first of the lines, to its closing parenthesis; the first line alone if that is not
 * found. What is before the keyword, and comments, are spaces; parentheses in texts do not count, and templates are taken as texts.
 */
function callText(lines: readonly string[], keyword: string): string {
  const source = lines.join("\n").slice(0, longest);
  const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|[()]/g;
  let end = Math.max(0, lines[0]?.search(new RegExp(`\\b${keyword}\\s*\\(`)) ?? 0);
  let text = " ".repeat(end);
  let depth = 0;
  tokens.lastIndex = end;
  for (let match = tokens.exec(source); match; match = tokens.exec(source)) {
    const [token] = match;
    text += source.slice(end, match.index) + (token.startsWith("/") ? token.replace(/[^\n]/g, " ") : token);
    end = tokens.lastIndex;
    if (token === "(") depth++;
    else if (token === ")" && --depth <= 0) return text;
  }
  return lines[0] ?? "";
}
