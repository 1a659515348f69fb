import { CommanderError } from "commander";
import { NspawnError } from "../base/errors.js";
import type { Output } from "./output.js";

/** What a command that failed ends with: 1 the work failed, 2 the script or the call is wrong, 130 interrupted; 0 after `--help`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return error instanceof NspawnError ? error.exitCode : 1;
}

/** Tells an error, and gives the exit code. What is wrong with the arguments commander has told by itself. */
export function endCode(error: unknown, output: Output): number {
  if (!(error instanceof CommanderError)) output.failed(error);
  return exitCodeOf(error);
}
