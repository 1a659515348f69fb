import { Command, CommanderError, Option } from "commander";
import { InterruptedError, NspawnError, UsageError } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { ScriptKind } from "../dsl/call.js";
import type { EngineContext } from "../engine/context.js";
import type { Script } from "../script/load.js";
import { type Completed, completion, completionShells } from "./completion/completion.js";
import { endProcess } from "./end-process.js";
import { exitCodeOf } from "./exit-code.js";
import type { HelpText } from "./help.js";
import { earlyOutput, type Output, openOutput } from "./output.js";
import type { ShownPlan } from "./plan/plan.js";
import { scriptOutputToEvents } from "./script-output.js";
import { packageVersion } from "./version.js";

/** The options that every command has. */
export type CommonOptions = {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly plan?: boolean;
  readonly config?: readonly string[];
};

/**
 * A command that runs a script. `plan` and `work` check the script, and give what looks at the host, or changes it. Both load what they
 * need only when they are called.
 */
export type ScriptCommand<O extends CommonOptions> = {
  readonly kind: ScriptKind;
  readonly describe: (command: Command) => Command;
  readonly help: HelpText;
  /** What options take, for shells to complete. */
  readonly values?: Completed["values"];
  readonly plan: (script: Script, options: O) => Promise<(context: EngineContext) => Promise<ShownPlan>>;
  readonly work: (script: Script, options: O) => Promise<(context: EngineContext) => Promise<void>>;
};

/** Runs a command from the process's arguments and sets the exit code. The only place that ends the process. */
export async function runScriptCommand<O extends CommonOptions>(command: ScriptCommand<O>): Promise<void> {
  let output = earlyOutput(process.argv);
  const endWith = (error: unknown): never => endProcess(fail(error, output));
  // What a script does behind its own end, such as a keyword in a function that nobody awaited.
  const late: Late = { explain: (error) => error, stop: endWith };
  process.on("uncaughtException", (error) => late.stop(late.explain(error)));
  // Whoever reads our output may stop reading, as head(1) does: the work goes on.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const program = describeProgram(command, output);
  try {
    program.parse();
    const options = program.opts<O>();
    const [{ lateError, loadScript }, { loadConfig }] = await Promise.all([import("../script/load.js"), import("../config/load.js")]);
    const { config, warnings } = loadConfig({ environment: process.env, overrides: options.config ?? [] });
    output = await openOutput({ ...options, live: !options.plan, trace: config.main.traceError, logging: config.logging });
    if (options.json) scriptOutputToEvents(output.report);
    for (const text of warnings) output.report({ kind: "warning", text });
    const script = await loadScript(program.args[0] ?? "", command.kind, config);
    late.explain = (error) => lateError(error, script);
    if (options.plan) await showPlan(await command.plan(script, options), output, config);
    else await doWork(await command.work(script, options), { kind: command.kind, output, config, late });
    output.done();
  } catch (error) {
    endWith(error);
  }
  // At once: a timer that a script has left behind would keep the process.
  endProcess();
}

/** Arguments and options, from which help and completions come as well. */
function describeProgram<O extends CommonOptions>({ kind, describe, help, values = {} }: ScriptCommand<O>, output: Output): Command {
  const name = `nspawn-${kind}`;
  const program = describe(new Command(name))
    .description(help.description)
    .argument("<script>")
    .option("--plan", "print what would be done, and do nothing; needs no root")
    .addOption(new Option("--quiet", "print errors and warnings only").conflicts("verbose"))
    .option("--verbose", "print more, and the stack of an error")
    .option("--json", "print what happens as JSON, an object a line")
    .option("--config <[section]key=value>", "override the configuration; may be repeated", (value, all: string[] = []) => [...all, value])
    .option("--completion <shell>", `print completions for ${completionShells.join(", ")}`)
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "print this help")
    .addHelpText("after", help.after)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) =>
        process.argv.includes("--json")
          ? output.failed(new UsageError(text.trim().replace(/^error: /, "")))
          : write(text.replace(/^error: /, `${name}: `)),
    });
  // As --help does, it needs no script.
  program.on("option:completion", (shell: string) => {
    const shells = Object.fromEntries(completionShells.map((known) => [known, ""]));
    process.stdout.write(completion(shell, [{ command: program, script: kind, values: { "--completion": shells, ...values } }]));
    throw new CommanderError(0, "nspawn.completion", "");
  });
  return program;
}

/** Shows what would be done. It looks at the host, and changes nothing. */
async function showPlan(look: (context: EngineContext) => Promise<ShownPlan>, output: Output, config: Config): Promise<void> {
  const { LocalHost } = await import("../host/local.js");
  const shown = await look({ host: new LocalHost(), config, report: output.report });
  output.plan(shown);
  if (shown.refusal) throw shown.refusal;
}

/** What is done about an error that nobody catches: what it is told as, and how the command ends. */
type Late = { explain: (error: unknown) => unknown; stop: (why: unknown) => void };

type Surroundings = { readonly kind: ScriptKind; readonly output: Output; readonly config: Config; readonly late: Late };

async function doWork(work: (context: EngineContext) => Promise<void>, { kind, output, config, late }: Surroundings): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new NspawnError(`nspawn-${kind} has to be run by root, as with sudo; only --plan and --help need no rights`);
  const { LocalHost } = await import("../host/local.js");
  const host = new LocalHost();
  let stopped: { readonly why: unknown } | undefined;
  const stop = (why: unknown): void => {
    stopped ??= { why };
    // All programs are ended, the work throws, and what it has made is removed; whatever still hangs then is left to the next run.
    if (host.interrupt()) setTimeout(() => endProcess(fail(why, output)), 1500).unref();
    else output.report({ kind: "warning", text: "finishing what must not be cut in two; once more ends it at once" });
  };
  // Folders and files that are made on the way have the usual modes, whatever the user's shell says.
  process.umask(0o022);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop(new InterruptedError()));
  late.stop = stop;
  try {
    await work({ host, config, report: output.report });
  } catch (error) {
    throw stopped ? stopped.why : error;
  }
  // What could not be cut in two was the last there was to do.
  if (stopped) throw stopped.why;
}

/** Tells an error, and gives the exit code. What is wrong with the arguments commander has told by itself. */
function fail(error: unknown, output: Output): number {
  if (!(error instanceof CommanderError)) output.failed(error);
  return exitCodeOf(error);
}

/** The error for an option's value that is none of a few words. */
export function notOneOf(option: string, value: string, words: readonly string[]): UsageError {
  return new UsageError(`${option} is one of ${words.join(", ")}, not ${JSON.stringify(value)}`);
}
