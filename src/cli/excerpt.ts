import { readFileSync, statSync } from "node:fs";
import type { Place } from "../base/place.js";
import { columnsOf } from "./columns.js";
import { printable } from "./printable.js";
import type { Paint } from "./style.js";

/** A part of a line: from a character, to the one after its last. */
type Span = { readonly from: number; readonly to: number };

/** Characters of a long line that are shown, and how many of them before the word that is underlined. */
const longest = 110;
const context = 40;

/** A script is smaller; anything else is not read. */
const largestFile = 4_000_000;

/**
 * The line of a script with its number, and carets below the word that is wrong: its first occurrence there. Nothing if the file
 * cannot be read (any more), is no text, or has no such line.
 * @param near text on the line, as its value is or as it is written
 * @param column the first character where it may stand, from 0
 */
export function excerpt({ file, line }: Place, near: string | undefined, paint: Paint, column = 0): readonly string[] {
  const text = lineOf(file, line)?.trimEnd();
  if (!text) return [];
  const span = near ? find(text, near, column) : undefined;
  const window = windowAround(text, span);
  const show = (from: number, to: number): string => printable(text.slice(from, to).replaceAll("\t", "    "));
  const ends = [window.from > 0 ? "…" : "", window.to < text.length ? "…" : ""] as const;
  const number = String(line).padStart(4);
  const quoted = (content: string): string => `${paint("blue", `${number} |`)} ${ends[0]}${content}${ends[1]}`;
  if (!span) return [quoted(show(window.from, window.to))];
  const [before, word] = [show(window.from, span.from), show(span.from, Math.min(span.to, window.to))];
  const indent = " ".repeat(columnsOf(ends[0] + before));
  return [
    quoted(before + word + show(Math.min(span.to, window.to), window.to)),
    `${paint("blue", `${" ".repeat(number.length)} |`)} ${indent}${paint("red", "^".repeat(Math.max(1, columnsOf(word))))}`,
  ];
}

function lineOf(file: string, line: number): string | undefined {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > largestFile) return undefined;
    const content = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
    // The same ends of lines as in JavaScript (ECMA-262, 12.3).
    return content.includes("\0") ? undefined : content.split(/\r\n|[\n\r\u2028\u2029]/)[line - 1];
  } catch {
    // The message stands for itself.
    return undefined;
  }
}

/** The first occurrence from a character on, as a whole word, or else as any text, or else the way a string literal escapes it. */
function find(text: string, near: string, column: number): Span | undefined {
  const literal = near.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const word = new RegExp(`(?<![\\p{L}\\p{N}_$])${literal}(?![\\p{L}\\p{N}_$])`, "gu");
  word.lastIndex = column;
  const whole = word.exec(text);
  if (whole) return { from: whole.index, to: whole.index + near.length };
  for (const written of [near, JSON.stringify(near).slice(1, -1)]) {
    const from = text.indexOf(written, column);
    if (from >= 0) return { from, to: from + written.length };
  }
  return undefined;
}

function windowAround(text: string, span: Span | undefined): Span {
  const needed = span ? span.to : 0;
  const from = needed <= longest || !span ? 0 : Math.max(0, span.from - context);
  return { from, to: Math.min(text.length, from + longest) };
}
