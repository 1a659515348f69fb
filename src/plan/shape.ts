import { inspect } from "node:util";
import { isPlainObject, isRecord } from "../base/is-record.js";
import { didYouMean, nearest } from "../base/nearest.js";
import { oneLine } from "../base/shell-quote.js";

/**
 * One thing that is wrong in what a script gave to a keyword. `path` says where, such as `packages[2]`; empty for the whole.
 * `near`: the text in the script that is wrong, as far as it is known.
 */
export type Cause = {
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly near?: string | undefined;
};

/**
 * All that is wrong in one value. Checkers give the value in its type, or this. They are for plain JavaScript and for types
 * that lie; TypeScript has found most of it in the editor.
 */
export class Mismatch {
  readonly causes: readonly Cause[];

  constructor(causes: readonly Cause[]) {
    this.causes = causes;
  }

  /** The same seen from one level above: `in` is a field's name, or `[2]`. */
  within(name: string): Mismatch {
    const pathOf = (path: string): string => (path === "" || path.startsWith("[") ? `${name}${path}` : `${name}.${path}`);
    return new Mismatch(this.causes.map((cause) => ({ ...cause, path: pathOf(cause.path) })));
  }
}

export type Checker<T> = (value: unknown) => T | Mismatch;

/** The mismatch of a value that is not what was expected. */
export function unlike(expected: string, given: unknown, hint?: string): Mismatch {
  return new Mismatch([{ path: "", message: `expected ${expected}, got ${showGiven(given)}`, hint, near: wordOf(given) }]);
}

/** A text that is not empty and has no NUL (which no path, argument or unit can hold). */
export const text =
  (expected: string): Checker<string> =>
  (value) =>
    typeof value !== "string" || value === ""
      ? unlike(expected, value)
      : value.includes("\0")
        ? unlike(`${expected} without NUL characters`, value)
        : value;

/** A text that matches. */
export const matching =
  (pattern: RegExp, expected: string): Checker<string> =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? value : unlike(expected, value);

export const listOf =
  <T>(item: Checker<T>, expected: string): Checker<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value)) return unlike(expected, value);
    const items: T[] = [];
    const causes: Cause[] = [];
    // Not value.entries alone: holes count as undefined.
    for (const [index, element] of Array.from(value).entries()) {
      const checked = item(element);
      if (checked instanceof Mismatch) causes.push(...checked.within(`[${index}]`).causes);
      else items.push(checked);
    }
    return causes.length > 0 ? new Mismatch(causes) : items;
  };

/**
 * A program and its arguments; arguments may be empty texts.
 * @param asShell the call that takes a shell script instead, for whoever gives one
 */
export const argv =
  (asShell: (script: string) => string): Checker<readonly string[]> =>
  (value) => {
    const expected = "a list of texts: the program, then its arguments";
    const hint = typeof value === "string" && value.trim() !== "" ? `${asShell(JSON.stringify(value))} runs a shell script` : undefined;
    if (!Array.isArray(value) || value.length === 0) return unlike(expected, value, hint);
    if (value[0] === "") return unlike("the name of a program as the first of them", value);
    return listOf(argument, expected)(value);
  };

const argument: Checker<string> = (value) => {
  if (typeof value !== "string")
    return unlike("a text", value, typeof value === "number" ? `write ${JSON.stringify(String(value))}` : undefined);
  return value.includes("\0") ? unlike("a text without NUL characters", value) : value;
};

/** One of a few texts. */
export const oneOf =
  <const T extends string>(...words: readonly T[]): Checker<T> =>
  (value) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    return unlike(`one of ${words.join(", ")}`, value, typeof value === "string" ? didYouMean(value, words) : undefined);
  };

export const boolean: Checker<boolean> = (value) => (typeof value === "boolean" ? value : unlike("true or false", value));

/** A field that may not be given here. */
export const never = (why: string): Checker<undefined> =>
  Object.assign((value: unknown) => (value === undefined ? undefined : new Mismatch([{ path: "", message: why }])), { isNever: true });

export const optional =
  <T>(checker: Checker<T>): Checker<T | undefined> =>
  (value) =>
    value === undefined ? undefined : checker(value);

export type Shape = Readonly<Record<string, Checker<unknown>>>;
export type Checked<S extends Shape> = { readonly [K in keyof S]: Exclude<ReturnType<S[K]>, Mismatch> };

/** An object with these fields and no others; all that is wrong with any of them is told. */
export const object =
  <S extends Shape>(shape: S, expected: string): Checker<Checked<S>> =>
  (value) => {
    if (!isRecord(value)) return unlike(expected, value);
    // What every object inherits, such as toString, was not given.
    const fields = Object.entries(shape).map(([key, checker]) => {
      const given = Object.hasOwn(value, key) ? value[key] : undefined;
      return { key, given, checked: checker(given) };
    });
    const missing = fields.filter(({ given, checked }) => given === undefined && checked instanceof Mismatch).map(({ key }) => key);
    const unknown = unknownFields(shape, Object.keys(value), missing);
    const causes = fields.flatMap(({ key, given, checked }) => {
      if (!(checked instanceof Mismatch)) return [];
      if (given !== undefined) return checked.within(key).causes;
      // A name that looks like the missing one is the same mistake.
      return unknown.some(({ meant }) => meant === key) ? [] : [missingField(key, expected)];
    });
    if (causes.length > 0 || unknown.length > 0) return new Mismatch([...unknown.map(({ cause }) => cause), ...causes]);
    return Object.fromEntries(fields.map(({ key, checked }) => [key, checked])) as Checked<S>;
  };

/** What is wrong with the names of fields that are not in the shape, and the missing ones that they stand for. */
function unknownFields(
  shape: Shape,
  given: readonly string[],
  missing: readonly string[],
): readonly { readonly meant: string | undefined; readonly cause: Cause }[] {
  const known = Object.keys(shape).filter((key) => !("isNever" in (shape[key] ?? {})));
  return given
    .filter((key) => !Object.hasOwn(shape, key))
    .map((key) => {
      const meant = meantBy(key, missing);
      const hint = meant === undefined ? (didYouMean(key, known) ?? `the fields are ${known.join(", ")}`) : `did you mean ${meant}?`;
      return { meant, cause: { path: "", message: `there is no field ${JSON.stringify(key)}`, hint, near: key } };
    });
}

/** The missing field that a name stands for: nearly its name, or an abbreviation such as `cmd`. */
function meantBy(key: string, missing: readonly string[]): string | undefined {
  const letters = new RegExp(`^${[...key].map((letter) => letter.replace(/\W/g, "\\$&")).join(".*")}`, "i");
  return nearest(key, missing) ?? missing.find((name) => key.length > 1 && letters.test(name));
}

function missingField(key: string, expected: string): Cause {
  return { path: "", message: `the field ${JSON.stringify(key)} is missing`, hint: `the call is ${expected}` };
}

/** What was given, on one line, for a message. */
export function showGiven(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  // As the script may have written it; what JSON cannot say, such as NaN, a bigint or a Date, as Node shows it.
  const isWritten = typeof value === "string" || Array.isArray(value) || isPlainObject(value);
  const shown = (isWritten ? safeJson(value) : undefined) ?? oneLine(inspect(value, { breakLength: Infinity, customInspect: false }));
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown;
}

/** The word that a script may have for a value; undefined if that is not one word of it. */
export function wordOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : undefined;
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
