import { isatty } from "node:tty";

const exit: (code?: number) => never = process.exit.bind(process);
const kill = process.kill.bind(process);
const terminals = [0, 1, 2].filter((stream) => isatty(stream));

/**
 * Ends the process. Scripts see another `process.exit`, which is an error of theirs: this one is taken before any is loaded.
 *
 * Node gives terminals back their settings then, and aborts if it cannot, as after the terminal's window was closed: nobody needs the core
 * dump of that, so we end of the hang-up itself.
 */
export function endProcess(code?: number): never {
  if (terminals.some((stream) => !isatty(stream))) {
    process.removeAllListeners("SIGHUP");
    kill(process.pid, "SIGHUP");
  }
  // An `undefined` that is passed on counts as 0, whatever process.exitCode is.
  return code === undefined ? exit() : exit(code);
}
