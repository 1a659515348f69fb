import { InterruptedError, NspawnError } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { EngineContext } from "../engine/context.js";
import { endProcess } from "./end-process.js";
import { endCode } from "./exit-code.js";
import type { Output } from "./output.js";

/** What is done about an error that nobody catches: what it is told as, and how the command ends. */
export type Late = { explain: (error: unknown) => unknown; stop: (why: unknown) => void };

/** `name`: the command, for errors; `rightsHint`: what needs no rights. */
export type Surroundings = {
  readonly name: string;
  readonly rightsHint: string;
  readonly output: Output;
  readonly config: Config;
  readonly late: Late;
};

/**
 * Does work that changes the host, until it is done, or an interrupt ends it.
 * @throws NspawnError without the rights of root, InterruptedError, and what the work throws
 */
export async function workAsRoot<T>(
  work: (context: EngineContext) => Promise<T>,
  { name, rightsHint, output, config, late }: Surroundings,
): Promise<T> {
  if (process.getuid?.() !== 0) throw new NspawnError(`${name} has to be run by root, as with sudo; only ${rightsHint} need no rights`);
  const { LocalHost } = await import("../host/local.js");
  const host = new LocalHost();
  let stopped: { readonly why: unknown } | undefined;
  const stop = (why: unknown): void => {
    stopped ??= { why };
    // All programs are ended, the work throws, and what it has made is removed; whatever still hangs then is left to the next run.
    if (host.interrupt()) setTimeout(() => endProcess(endCode(why, output)), 1500).unref();
    else output.report({ kind: "warning", text: "finishing what must not be cut in two; once more ends it at once" });
  };
  // Folders and files that are made on the way have the usual modes, whatever the user's shell says.
  process.umask(0o022);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop(new InterruptedError()));
  late.stop = stop;
  let result: T;
  try {
    result = await work({ host, config, report: output.report });
  } catch (error) {
    throw stopped ? stopped.why : error;
  }
  // What could not be cut in two was the last there was to do.
  if (stopped) throw stopped.why;
  return result;
}
