import { didYouMean } from "../../base/nearest.js";
import { type Kind, scalarText, WrongValue } from "./kind.js";

/** What systemd takes for booleans (parse_boolean in its basic/parse-util.c), as yes or no. */
const truths = new Map([
  ...["yes", "y", "true", "t", "on", "1"].map((word) => [word, "yes"] as const),
  ...["no", "n", "false", "f", "off", "0"].map((word) => [word, "no"] as const),
]);

/** A word that systemd takes for a boolean. Others work, too; these are for editors to propose. */
export type BooleanText = "yes" | "no" | "true" | "false" | "on" | "off";

/** yes or no for what is true or false to systemd; undefined for anything else. */
function truthOf(value: unknown): "yes" | "no" | undefined {
  const isScalar = typeof value === "boolean" || typeof value === "string" || typeof value === "number";
  return isScalar ? truths.get(String(value).toLowerCase()) : undefined;
}

export const boolean: Kind = {
  expected: "true or false (yes, no, on and off are the same)",
  type: "boolean | BooleanText",
  example: true,
  read: (value) => truthOf(value) ?? new WrongValue(boolean.expected, value),
};

type Words = {
  /** Each word with the version of systemd that brought it, or 0 if it came with the setting. */
  readonly words: Readonly<Record<string, number>>;
  readonly example: string;
  /** The words that true and false stand for. */
  readonly booleans?: Readonly<Partial<Record<"yes" | "no", string>>>;
  /** Texts that are right besides the words. */
  readonly others?: { readonly expected: string; readonly type: string; readonly test: (text: string) => boolean };
};

/** One of several words. */
export function oneOf({ words, example, booleans = {}, others }: Words): Kind {
  const names = Object.keys(words);
  const expected = `${booleans.yes ? "true, false" : booleans.no ? "false" : "one of"}${booleans.no ? " or one of" : ""} ${names
    .map((name) => (words[name] ? `${name} (systemd ${words[name]})` : name))
    .join(", ")}${others ? `, or ${others.expected}` : ""}`;
  const read = (value: unknown): string | WrongValue => {
    const text = typeof value === "boolean" ? String(value) : scalarText(value, expected);
    if (typeof text !== "string") return text;
    if (names.includes(text) || others?.test(text)) return text;
    const truth = truthOf(text);
    return (truth && booleans[truth]) ?? new WrongValue(expected, value, didYouMean(text, names));
  };
  const types = [
    ...(booleans.yes ? ["boolean | BooleanText"] : booleans.no ? ["false"] : []),
    ...names.filter((name) => !(booleans.yes && truthOf(name))).map((name) => JSON.stringify(name)),
    ...(others ? [others.type] : []),
  ];
  return { expected, type: types.join(" | "), example, read, since: (text) => (Object.hasOwn(words, text) ? (words[text] ?? 0) : 0) };
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): Kind {
  const expected = `a whole number from ${min} to ${max}`;
  const read = (value: unknown): string | WrongValue => {
    const text = scalarText(value, expected);
    if (typeof text !== "string") return text;
    const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    return number >= min && number <= max ? String(number) : new WrongValue(expected, value);
  };
  return { expected, type: "number | (string & {})", example: max, read };
}
