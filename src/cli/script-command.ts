import { Command } from "commander";
import { UsageError } from "../base/errors.js";
import { packageVersion } from "../base/package-version.js";
import type { ScriptKind } from "../dsl/call.js";
import type { EngineContext } from "../engine/context.js";
import type { Script } from "../script/load.js";
import { addCommonOptions, addCompletionOption, type CommonOptions, throwErrors } from "./common-options.js";
import type { Completed } from "./completion/completion.js";
import type { HelpText } from "./help.js";
import { lastTimers } from "./last-timers.js";
import type { Output } from "./output.js";
import type { ShownPlan } from "./plan/plan.js";
import { type Surroundings, workAsRoot } from "./root-work.js";
import { scriptOutputToEvents } from "./script-output.js";
import { runCommand } from "./session.js";
import { show } from "./show.js";
import type { Shown } from "./subcommand.js";

/** The options of a command that runs a script. */
export type ScriptOptions = CommonOptions & { readonly plan?: boolean };

/** Checks a script, and gives what is to be done about it. */
type Act<T> = (script: Script) => Promise<(context: EngineContext) => Promise<T>>;

/**
 * A command that runs a script. `plan` and `work` load what looks at the host, or changes it, before the script is run: should that import a
 * package, every module goes through the thread of Node's module hooks from then on, which takes its time.
 */
export type ScriptCommand<O extends ScriptOptions> = {
  readonly kind: ScriptKind;
  readonly describe: (command: Command) => Command;
  readonly help: HelpText;
  /** What options take, for shells to complete. */
  readonly values?: Completed["values"];
  readonly plan: (options: O) => Promise<Act<ShownPlan>>;
  readonly work: (options: O) => Promise<Act<void>>;
  /** What only answers, if that is what the options ask for: in the place of both, and without rights. */
  readonly look?: (options: O) => Promise<Act<Shown>> | undefined;
  /** What leaves the terminal to another program, if that is what the options ask for; its exit code is that of the command. */
  readonly attach?: (options: O) => Promise<(script: Script) => Promise<number>> | undefined;
};

/** Runs a command from the process's arguments to the end of the process. */
export async function runScriptCommand<O extends ScriptOptions>(command: ScriptCommand<O>): Promise<void> {
  await runCommand(async ({ early, late, begin }) => {
    const program = describeProgram(command, early);
    program.parse();
    const options = program.opts<O>();
    const { live, ready } = deedOf(command, options);
    const [{ lateError, loadScript }, { config, output }, run] = await Promise.all([
      import("../script/load.js"),
      begin({ ...options, live }),
      ready,
    ]);
    if (options.json) scriptOutputToEvents(output.report);
    const script = await loadScript(program.args[0] ?? "", command.kind, config);
    late.explain = (error) => lateError(error, script);
    await lastTimers();
    await run(script, { name: program.name(), rightsHint: "--plan and --help", output, config, late });
  });
}

/** What is done with a script that was loaded. */
type Run = (script: Script, surroundings: Surroundings) => Promise<void>;

/** `live`: whether a terminal shows what is going on. `ready`: resolves when all that is needed is loaded. */
function deedOf<O extends ScriptOptions>(command: ScriptCommand<O>, options: O): { readonly live: boolean; readonly ready: Promise<Run> } {
  const looking = command.look?.(options);
  if (looking) return { live: false, ready: lookRun(looking, options) };
  const attaching = command.attach?.(options);
  if (attaching) return { live: false, ready: attachRun(attaching) };
  return options.plan ? { live: false, ready: planRun(command.plan(options)) } : { live: true, ready: workRun(command.work(options)) };
}

async function lookRun(loading: Promise<Act<Shown>>, options: ScriptOptions): Promise<Run> {
  const [{ LocalHost }, look] = await Promise.all([import("../host/local.js"), loading]);
  return async (script, { config, output }) => {
    const answer = await look(script);
    show(await answer({ host: new LocalHost(), config, report: output.report }), options);
  };
}

async function attachRun(loading: Promise<(script: Script) => Promise<number>>): Promise<Run> {
  const attach = await loading;
  return async (script) => {
    process.exitCode = await attach(script);
  };
}

async function planRun(loading: Promise<Act<ShownPlan>>): Promise<Run> {
  const [{ LocalHost }, plan] = await Promise.all([import("../host/local.js"), loading]);
  return async (script, { config, output }) => {
    const preview = await plan(script);
    const shown = await preview({ host: new LocalHost(), config, report: output.report });
    output.plan(shown);
    if (shown.refusal) throw shown.refusal;
    output.done();
  };
}

async function workRun(loading: Promise<Act<void>>): Promise<Run> {
  const [work] = await Promise.all([loading, import("../host/local.js")]);
  return async (script, surroundings) => {
    await workAsRoot(await work(script), surroundings);
    surroundings.output.done();
  };
}

/** Arguments and options, from which help and completions come as well. */
function describeProgram<O extends ScriptOptions>({ kind, describe, help, values = {} }: ScriptCommand<O>, output: Output): Command {
  const name = `nspawn-${kind}`;
  const program = describe(new Command(name))
    .description(help.description)
    .argument("<script>")
    .option("--plan", "print what would be done, and do nothing; needs no root");
  return addCompletionOption(addCommonOptions(throwErrors(program, output)), { script: kind, values })
    .version(packageVersion(), "--version", "print the version")
    .addHelpText("after", help.after);
}

/** The error for an option's value that is none of a few words. */
export function notOneOf(option: string, value: string, words: readonly string[]): UsageError {
  return new UsageError(`${option} is one of ${words.join(", ")}, not ${JSON.stringify(value)}`);
}
