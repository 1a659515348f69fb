import { NspawnError } from "../base/errors.js";

const named: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "%": "%%", $: "$$", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** systemd ignores lines with a noncharacter, such as U+FFFE, and cannot tell of a unit where one is escaped. */
const notInUnit = /\0|\p{Surrogate}|\p{Noncharacter_Code_Point}/u;

/** What means nothing but itself, without quotes. */
const plain = /^[A-Za-z0-9_./:=@,+-]+$/;

/**
 * One argument of a command line in a unit, such that systemd passes it on unchanged: quoted, with `%` (specifiers), `$`
 * (variables), quotes, backslashes and control characters escaped. See "Command lines" in systemd.service(5) and "Quoting"
 * in systemd.syntax(7).
 * @throws NspawnError for what no unit can hold: NUL, halves of surrogate pairs, noncharacters
 */
export function unitArgument(argument: string): string {
  const wrong = notInUnit.exec(argument);
  if (wrong) throw new NspawnError(`a unit cannot hold ${nameOf(wrong[0])}: ${JSON.stringify(argument)}`);
  if (plain.test(argument)) return argument;
  const escaped = argument.replace(/[\\"%$]|\p{Cc}/gu, (char) => named[char] ?? escapeControl(char));
  return `"${escaped}"`;
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

/** Text for a comment in a unit: on one line, whatever is in it. */
export function unitComment(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\p{Surrogate}\p{Noncharacter_Code_Point}]/gu, (char) => `\\u${hex(char)}`).replace(/\\$/, "\\ ");
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
