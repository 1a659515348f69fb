import type { Config } from "../config/config.js";
import { endProcess } from "./end-process.js";
import { endCode } from "./exit-code.js";
import { earlyOutput, type Output, type OutputOptions, openOutput } from "./output.js";
import type { Late } from "./root-work.js";

/** A command at work: its configuration, and where it tells what happens. */
type Session = { readonly config: Config; readonly output: Output };

/** What a command's options say of its session. */
type SessionOptions = Pick<OutputOptions, "quiet" | "verbose" | "json" | "live"> & { readonly config?: readonly string[] };

/** What a command begins with: the output as long as the options are not known, and the session from when they are. */
export type Start = { readonly early: Output; readonly late: Late; readonly begin: (options: SessionOptions) => Promise<Session> };

/**
 * Runs a command to its end, tells the error that it ends with, and ends the process with its exit code. The only place that does.
 * @param main parses the arguments, begins the session, and does the work
 * @param args those that say how errors are told before the options are known: `--json`, `--verbose`
 */
export async function runCommand(main: (start: Start) => Promise<void>, args: readonly string[] = process.argv): Promise<void> {
  let output = earlyOutput(args);
  // With nothing left to wait for, and the end not reached, Node would end as if all were well.
  process.once("beforeExit", () => {
    process.exitCode = 13;
  });
  const endWith = (error: unknown): never => endProcess(endCode(error, output));
  // What a script does behind its own end, such as a keyword in a function that nobody awaited.
  const late: Late = { explain: (error) => error, stop: endWith };
  process.on("uncaughtException", (error) => late.stop(late.explain(error)));
  // Whoever reads our output may stop reading, as head(1) does: the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const begin = async (options: SessionOptions): Promise<Session> => {
    const { loadConfig } = await import("../config/load.js");
    const { config, warnings } = loadConfig({ environment: process.env, overrides: options.config ?? [] });
    output = await openOutput({ ...options, trace: config.main.traceError, logging: config.logging });
    for (const text of warnings) output.report({ kind: "warning", text });
    return { config, output };
  };
  try {
    await main({ early: output, late, begin });
  } catch (error) {
    endWith(error);
  }
  // At once: a timer that a script has left behind would keep the process.
  endProcess();
}
