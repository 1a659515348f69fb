import { constants, fstatSync } from "node:fs";
import { builtin } from "../base/builtin.js";

const exit: (code?: number) => never = process.exit.bind(process);
const kill = process.kill.bind(process);
/** /dev/null, see null(4). */
const nullDevice = (1 << 8) | 3;
const terminals = [0, 1, 2].filter((stream) => mayBeTerminal(stream) && isTerminal(stream));

/**
 * Ends the process. Scripts see another `process.exit`, which is an error of theirs: this one is taken before any is loaded.
 *
 * Node gives terminals back their settings then, and aborts if it cannot, as after the terminal's window was closed: nobody needs the core
 * dump of that, so we end of the hang-up itself.
 */
export function endProcess(code?: number): never {
  if (terminals.some((stream) => !isTerminal(stream))) {
    process.removeAllListeners("SIGHUP");
    kill(process.pid, "SIGHUP");
  }
  // An `undefined` that is passed on counts as 0, whatever process.exitCode is.
  return code === undefined ? exit() : exit(code);
}

/** Whether it is worth the load of node:tty, some 6 ms, to know. */
function mayBeTerminal(stream: number): boolean {
  try {
    const { rdev, mode } = fstatSync(stream);
    return (mode & constants.S_IFMT) === constants.S_IFCHR && rdev !== nullDevice;
  } catch {
    // It is closed.
    return false;
  }
}

function isTerminal(stream: number): boolean {
  return builtin("node:tty").isatty(stream);
}
