import { isRecord } from "../base/is-record.js";

/**
 * Checks of what a script gave to a keyword. A checker gives the value in its type, or a {@link Mismatch} that says what
 * is expected. They are for plain JavaScript and for types that lie; TypeScript has found most of it in the editor.
 */
export class Mismatch {
  readonly expected: string;
  readonly given: unknown;

  constructor(expected: string, given: unknown) {
    this.expected = expected;
    this.given = given;
  }
}

export type Checker<T> = (value: unknown) => T | Mismatch;

/** A text that is not empty and has no NUL (which no path, argument or unit can hold). */
export const text =
  (expected: string): Checker<string> =>
  (value) =>
    typeof value === "string" && value !== "" && !value.includes("\0") ? value : new Mismatch(expected, value);

export const listOf =
  <T>(item: Checker<T>, expected: string): Checker<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value)) return new Mismatch(expected, value);
    const items: T[] = [];
    for (const element of value) {
      const checked = item(element);
      if (checked instanceof Mismatch) return checked;
      items.push(checked);
    }
    return items;
  };

/** A program and its arguments; arguments may be empty texts. */
export const argv: Checker<readonly string[]> = (value) => {
  const expected = "a list of texts: the program, then its arguments";
  if (!Array.isArray(value) || value.length === 0 || value[0] === "") return new Mismatch(expected, value);
  // Not value.every: it passes over holes.
  for (const item of value) {
    if (typeof item !== "string") return new Mismatch(expected, value);
    if (item.includes("\0")) return new Mismatch(`${expected}, without NUL characters`, item);
  }
  return value;
};

export const oneOf =
  <const T extends string>(...words: readonly T[]): Checker<T> =>
  (value) =>
    words.find((word) => word === value) ?? new Mismatch(`one of ${words.join(", ")}`, value);

/** A field that may not be given here. */
export const never =
  (why: string): Checker<undefined> =>
  (value) =>
    value === undefined ? undefined : new Mismatch(why, value);

export const optional =
  <T>(checker: Checker<T>): Checker<T | undefined> =>
  (value) =>
    value === undefined ? undefined : checker(value);

type Shape = Readonly<Record<string, Checker<unknown>>>;
type Checked<S extends Shape> = { readonly [K in keyof S]: Exclude<ReturnType<S[K]>, Mismatch> };

/** An object with these fields and no others. */
export const object =
  <S extends Shape>(shape: S, expected: string): Checker<Checked<S>> =>
  (value) => {
    if (!isRecord(value)) return new Mismatch(expected, value);
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(shape, key));
    if (unknown !== undefined) return new Mismatch(`${expected}; it has no field ${JSON.stringify(unknown)}`, value);
    const result: Record<string, unknown> = {};
    for (const [key, checker] of Object.entries(shape)) {
      const checked = checker(value[key]);
      if (checked instanceof Mismatch) return new Mismatch(`${key}: ${checked.expected}`, checked.given);
      result[key] = checked;
    }
    return result as Checked<S>;
  };

/** What was given, on one line, for a message. */
export function showGiven(value: unknown): string {
  if (typeof value === "function") return "a function";
  const shown = typeof value === "bigint" || typeof value === "symbol" ? String(value) : (safeJson(value) ?? String(value));
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown;
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
