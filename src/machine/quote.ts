import { NspawnError } from "../base/errors.js";

const named: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "%": "%%", $: "$$", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * One argument of a command line in a unit, such that systemd passes it on unchanged: quoted, with `%` (specifiers), `$`
 * (variables), quotes, backslashes and control characters escaped. See "Command lines" in systemd.service(5) and "Quoting"
 * in systemd.syntax(7).
 * @throws NspawnError for what no argument can hold: NUL, and halves of surrogate pairs
 */
export function unitArgument(argument: string): string {
  if (argument.includes("\0")) throw new NspawnError(`a unit cannot hold a NUL character: ${JSON.stringify(argument)}`);
  if (/\p{Surrogate}/u.test(argument)) throw new NspawnError(`a unit cannot hold half of a character: ${JSON.stringify(argument)}`);
  if (/^[A-Za-z0-9_./:=@,+-]+$/.test(argument)) return argument;
  const escaped = argument.replace(/[\\"%$]|\p{Cc}/gu, (char) => named[char] ?? escapeControl(char));
  return `"${escaped}"`;
}

/** A command line in a unit. */
export function unitCommand(argv: readonly string[]): string {
  return argv.map(unitArgument).join(" ");
}

/**
 * A path as the value of a directive that takes one path to the end of the line, such as WorkingDirectory=.
 * @throws NspawnError for a path with a line break, or a space or backslash at its end
 */
export function unitPath(path: string): string {
  if (/[\0\n\r]/.test(path) || /[\s\\]$/.test(path)) throw new NspawnError(`a unit cannot hold the path ${JSON.stringify(path)}`);
  return path.replaceAll("%", "%%");
}

/** Text for a comment in a unit: on one line, whatever is in it. */
export function unitComment(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).replace(/\\$/, "\\ ");
}

/** A path in an option of an overlay mount: commas part options, colons part layers. */
export function overlayPath(path: string): string {
  return path.replace(/[\\,:]/g, "\\$&");
}

/** `\xHH` stands for a byte: right for ASCII alone. */
function escapeControl(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : char;
}
