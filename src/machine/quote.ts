import { NspawnError } from "../base/errors.js";
import { shorten } from "../base/shorten.js";

const named: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "%": "%%", $: "$$", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** systemd ignores lines with a noncharacter, such as U+FFFE, and cannot tell of a unit where one is escaped. */
const notInUnit = /\0|\p{Surrogate}|\p{Noncharacter_Code_Point}/u;

/** Bytes of one argument that execve(2) takes, without the NUL at its end (MAX_ARG_STRLEN). */
const longestArgument = 131_071;

/** Characters of a comment's value: systemd takes lines of one mebibyte at most. */
const longestComment = 500;

/** What means nothing but itself, without quotes. */
const plain = /^[A-Za-z0-9_./:=@,+-]+$/;

/**
 * One argument of a command line in a unit, such that systemd passes it on unchanged: quoted, with `%` (specifiers), `$`
 * (variables), quotes, backslashes and control characters escaped. See "Command lines" in systemd.service(5) and "Quoting"
 * in systemd.syntax(7).
 * @throws NspawnError for what {@link unfitArgument} tells
 */
export function unitArgument(argument: string): string {
  const why = unfitArgument(argument);
  if (why !== undefined) throw new NspawnError(`${why}: ${shorten(argument)}`);
  if (plain.test(argument)) return argument;
  const escaped = argument.replace(/[\\"%$]|\p{Cc}/gu, (char) => named[char] ?? escapeControl(char));
  return `"${escaped}"`;
}

/** Why no unit can hold an argument, if none can: for NUL, halves of surrogate pairs, noncharacters, or its length. */
export function unfitArgument(argument: string): string | undefined {
  const wrong = notInUnit.exec(argument);
  if (wrong) return `a unit cannot hold ${nameOf(wrong[0])}`;
  const bytes = Buffer.byteLength(argument);
  return bytes > longestArgument ? `no program takes an argument of ${bytes} bytes` : undefined;
}

/**
 * The value of a directive that takes the rest of its line as it is, such as MemoryMax=.
 * @throws NspawnError for one with control characters or a backslash at its end
 */
export function unitValue(value: string): string {
  const why = unfitArgument(value) ?? (/\p{Cc}|\\$/u.test(value) ? "a unit cannot hold this value of a directive" : undefined);
  if (why !== undefined) throw new NspawnError(`${why}: ${shorten(value)}`);
  return value.replaceAll("%", "%%");
}

/** A command line in a unit. */
export function unitCommand(argv: readonly string[]): string {
  return argv.map(unitArgument).join(" ");
}

/**
 * A path as the value of a directive that takes one path to the end of the line, such as WorkingDirectory=.
 * @throws NspawnError for a path with a line break, a space or backslash at its end, or what no unit can hold
 */
export function unitPath(path: string): string {
  if (notInUnit.test(path) || /[\n\r]|[\s\\]$/.test(path)) throw new NspawnError(`a unit cannot hold the path ${JSON.stringify(path)}`);
  return path.replaceAll("%", "%%");
}

/**
 * Paths as the value of a directive that takes several, such as RequiresMountsFor=: unlike in a command line, `$` stands for itself.
 * @throws NspawnError for what {@link unitPath} refuses
 */
export function unitPaths(paths: readonly string[]): string {
  return paths.map((path) => (plain.test(path) ? path : `"${unitPath(path).replace(/[\\"]/g, "\\$&")}"`)).join(" ");
}

/** Text for a comment in a unit: on one line, whatever is in it, and not too long for one. */
export function unitComment(text: string): string {
  return shorten(text, longestComment)
    .replace(/[\p{Cc}\u2028\u2029\p{Surrogate}\p{Noncharacter_Code_Point}]/gu, (char) => `\\u${hex(char)}`)
    .replace(/\\$/, "\\ ");
}

/** A path in an option of an overlay mount: commas part options, colons part layers. */
export function overlayPath(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

function nameOf(char: string): string {
  if (char === "\0") return "a NUL character";
  return /\p{Surrogate}/u.test(char) ? "half of a character" : `the character U+${hex(char).toUpperCase()}`;
}

/** The number of a character, in at least four digits. */
function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).padStart(4, "0");
}

/** `\xHH` stands for a byte: right for ASCII alone. */
function escapeControl(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : char;
}
