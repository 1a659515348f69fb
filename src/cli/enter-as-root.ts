import { builtin } from "../base/builtin.js";
import { NspawnError } from "../base/errors.js";
import { enterMachine, type Wanted } from "../engine/enter/enter.js";

/**
 * Runs a command in a machine; on a terminal if we have one for input and output.
 * @param command ours, for errors
 * @returns the exit code
 * @throws NspawnError without the rights of root, and as {@link enterMachine} does
 */
export async function enterAsRoot(command: string, machine: string, wanted: Wanted): Promise<number> {
  if (process.getuid?.() !== 0) throw new NspawnError(`${command} has to be run by root, as with sudo, to enter a machine`);
  const { isatty } = builtin("node:tty");
  return enterMachine(machine, wanted, { terminal: isatty(0) && isatty(1), term: process.env.TERM });
}
