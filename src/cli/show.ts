import { hasCode, messageOf, NspawnError } from "../base/errors.js";
import { paintFor } from "./style.js";
import type { Shown } from "./subcommand.js";

/**
 * Shows an answer on standard output: to people, or as one JSON value. Its exit code becomes that of the command.
 * @throws NspawnError if it cannot be written, as on a full disk; that nobody reads on, as behind head(1), is no error
 */
export function show({ lines, data, exitCode }: Shown, options: { readonly json?: boolean }): void {
  const { stdout } = process;
  const text = options.json
    ? JSON.stringify(data, undefined, 2)
    : lines(paintFor(stdout), stdout.isTTY ? stdout.columns : undefined).join("\n");
  if (text !== "") stdout.write(`${text}\n`);
  const error = stdout.errored;
  if (error && !hasCode(error, "EPIPE"))
    throw new NspawnError(`standard output cannot be written to: ${messageOf(error)}`, { cause: error });
  if (exitCode !== undefined) process.exitCode = exitCode;
}
