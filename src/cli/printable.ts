/** Escape sequences of terminals: CSI, then strings (OSC, DCS, SOS, PM, APC) up to their end, then the short ones (ECMA-48, 5.3 to 5.6). */
const escapeSequences =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-OQ-WYZ\\`-~]/g;

/** Control characters, and those that turn the direction of text around, so that it reads as something else. */
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A line of text from elsewhere that is safe to show: a program cannot move the cursor, set colours or the window's title with
 * it. Of a line that is written over and over (`10 %\r20 %\r`), the last state stays. Tabs become spaces.
 */
export function printable(line: string): string {
  const text = line.replace(escapeSequences, "");
  return expandTabs(lastState(text)).replace(unprintable, visible);
}

/** The lines of a text, each of them printable. */
export function printableLines(text: string): readonly string[] {
  return text.split(/\r?\n/).map(printable);
}

function lastState(text: string): string {
  const states = text.split("\r").filter((state) => state !== "");
  return states.at(-1) ?? "";
}

function expandTabs(text: string): string {
  const [first = "", ...rest] = text.split("\t");
  let line = first;
  for (const part of rest) line += " ".repeat(8 - (line.length % 8)) + part;
  return line;
}

function visible(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
