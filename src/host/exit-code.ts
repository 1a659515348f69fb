import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";

/** What a program of ours ends with, as shells have it: its exit code, or 128 and the number of the signal that ended it. */
export function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
