/**
 * A kind of value: the check, what messages and documents say, and the type in TypeScript. Settings whose kinds are the same take
 * the same values. The text of a value is what a .nspawn file has after the `=` (systemd.nspawn(5)).
 */
export type Kind = {
  /** What is right, as it goes on after "takes". */
  readonly expected: string;
  /** TypeScript of one natural value. */
  readonly type: string;
  /** A natural value that is right. */
  readonly example: unknown;
  /** The text of one natural value. */
  readonly read: (value: unknown) => string | WrongValue;
  /** Several values in one text, as a .nspawn file has them on one line; undefined: a quote is not closed. Without it, a text is one value. */
  readonly split?: (text: string) => readonly string[] | undefined;
  /** Takes objects too, of which each field is a value. */
  readonly fields?: Fields;
  /** What a value of a list is about: of those about the same, systemd-nspawn takes one only, or one hides the others. */
  readonly about?: (text: string) => string;
  /** The version of systemd that a value needs, where it came later than its setting. */
  readonly since?: (text: string) => number;
};

type Fields = {
  /** TypeScript of a field's value. */
  readonly type: string;
  readonly read: (key: string, value: unknown) => string | WrongValue;
};

/** What is wrong with a value: the very item, what would be right, and what may have been meant. */
export class WrongValue {
  readonly expected: string;
  readonly given: unknown;
  readonly hint: string | undefined;

  constructor(expected: string, given: unknown, hint?: string) {
    this.expected = expected;
    this.given = given;
    this.hint = hint;
  }
}

/** The text of a scalar; numbers are written in decimal. */
export function scalarText(value: unknown, expected: string): string | WrongValue {
  const text = typeof value === "string" ? value : Number.isFinite(value) || typeof value === "bigint" ? String(value) : undefined;
  if (text === undefined) return new WrongValue(expected, value);
  return text.includes("\0") ? new WrongValue("a text without NUL characters", value) : text;
}

type Pattern = Pick<Kind, "expected" | "example"> &
  Partial<Kind> & {
    /** Whether a text is right. */
    readonly test: (text: string) => boolean;
    /** Says what is meant by a text that is wrong, if that can be told. */
    readonly hint?: (text: string) => string | undefined;
  };

/** A kind of texts, all of which are taken as they are. */
export function pattern({ test, hint, ...kind }: Pattern): Kind {
  const read = (value: unknown): string | WrongValue => {
    const text = scalarText(value, kind.expected);
    if (typeof text !== "string" || test(text)) return text;
    return new WrongValue(kind.expected, value, hint?.(text));
  };
  return { type: "string", read, ...kind };
}

/** Words between white space. */
export function splitWords(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
