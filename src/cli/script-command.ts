import { Command, CommanderError, Option } from "commander";
import { InterruptedError, NspawnError, UsageError } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { ScriptKind } from "../dsl/call.js";
import type { EngineContext } from "../engine/context.js";
import type { Script } from "../script/load.js";
import { reporter, showError, type Verbosity } from "./show.js";
import { packageVersion } from "./version.js";

/** The options that every command has. */
export type CommonOptions = { readonly quiet?: boolean; readonly verbose?: boolean; readonly plan?: boolean };

/** A command that runs a script: `plan` prints what `work` would do. Both load what they need only when they are called. */
export type ScriptCommand<O extends CommonOptions> = {
  readonly kind: ScriptKind;
  readonly describe: (command: Command) => Command;
  readonly plan: (script: Script, options: O) => Promise<string>;
  /** Gives the work to do, after the script was checked. */
  readonly work: (script: Script, options: O) => Promise<(context: EngineContext) => Promise<void>>;
};

/** Runs a command from the process's arguments and sets the exit code. The only place that ends the process. */
export async function runScriptCommand<O extends CommonOptions>(command: ScriptCommand<O>): Promise<void> {
  let verbosity: Verbosity = "normal";
  // What a script does behind its own end, such as a keyword in a function that nobody awaited.
  process.once("uncaughtException", (error) => process.exit(exitCode(error, verbosity)));
  // Whoever reads our output may stop reading, as head(1) does: the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const program = command
    .describe(new Command(`nspawn-${command.kind}`))
    .argument("<script>", `the ${command.kind} script; its first line #!/usr/bin/env nspawn-${command.kind} makes it a command itself`)
    .option("--plan", "print what would be done, and do nothing; needs no root")
    .addOption(new Option("--quiet", "print errors and warnings only").conflicts("verbose"))
    .option("--verbose", "print more, and the stack of an error")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "print this help")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `nspawn-${command.kind}: `)) });
  try {
    program.parse();
    const options = program.opts<O>();
    verbosity = options.quiet ? "quiet" : options.verbose ? "verbose" : "normal";
    const [{ loadScript }, { loadConfig }] = await Promise.all([import("../script/load.js"), import("../config/config.js")]);
    const config = loadConfig(process.env);
    const script = await finishing(
      loadScript(program.args[0] ?? "", command.kind, config),
      "the script waits for something that never comes: its top-level await does not end",
    );
    if (options.plan) console.log(await command.plan(script, options));
    else await doWork(await command.work(script, options), verbosity, command.kind, config);
  } catch (error) {
    process.exitCode = exitCode(error, verbosity);
  }
}

async function doWork(
  work: (context: EngineContext) => Promise<void>,
  verbosity: Verbosity,
  kind: ScriptKind,
  config: Config,
): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new NspawnError(`nspawn-${kind} has to be run by root, as with sudo; only --plan and --help need no rights`);
  const { LocalHost } = await import("../host/local.js");
  const host = new LocalHost();
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    // All programs are ended, the work throws, and what it has made is removed; whatever still hangs then is left to the next run.
    if (host.interrupt()) setTimeout(() => process.exit(130), 1500).unref();
    else console.error("finishing what must not be cut in two; once more ends it at once");
  };
  // Folders and files that are made on the way have the usual modes, whatever the user's shell says.
  process.umask(0o022);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, interrupt);
  await work({ host, config, report: reporter(verbosity) });
  // What could not be cut in two was the last there was to do.
  if (interrupted) throw new InterruptedError();
}

function exitCode(error: unknown, verbosity: Verbosity): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InterruptedError) {
    console.error("interrupted");
    return 130;
  }
  showError(error, verbosity);
  return error instanceof NspawnError ? error.exitCode : 1;
}

/** Waits for a promise. Node ends without a word when nothing is left that could settle it; this says what was waited for. */
async function finishing<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  const complain = (): void => {
    console.error(`error: ${otherwise}`);
    process.exitCode = 2;
  };
  process.once("exit", complain);
  try {
    return await promise;
  } finally {
    process.off("exit", complain);
  }
}

/** The error for an option's value that is none of a few words. */
export function notOneOf(option: string, value: string, words: readonly string[]): UsageError {
  return new UsageError(`${option} is one of ${words.join(", ")}, not ${JSON.stringify(value)}`);
}
