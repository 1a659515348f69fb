import { Command, CommanderError } from "commander";
import { UsageError } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { ScriptKind } from "../dsl/call.js";
import type { EngineContext } from "../engine/context.js";
import type { Script } from "../script/load.js";
import { addCommonOptions, addCompletionOption, type CommonOptions, throwErrors } from "./common-options.js";
import { type Completed, completion, completionShells } from "./completion/completion.js";
import type { HelpText } from "./help.js";
import type { Output } from "./output.js";
import type { ShownPlan } from "./plan/plan.js";
import { workAsRoot } from "./root-work.js";
import { scriptOutputToEvents } from "./script-output.js";
import { runCommand } from "./session.js";
import { packageVersion } from "./version.js";

/** The options of a command that runs a script. */
export type ScriptOptions = CommonOptions & { readonly plan?: boolean };

/**
 * A command that runs a script. `plan` and `work` check the script, and give what looks at the host, or changes it. Both load what they
 * need only when they are called.
 */
export type ScriptCommand<O extends ScriptOptions> = {
  readonly kind: ScriptKind;
  readonly describe: (command: Command) => Command;
  readonly help: HelpText;
  /** What options take, for shells to complete. */
  readonly values?: Completed["values"];
  readonly plan: (script: Script, options: O) => Promise<(context: EngineContext) => Promise<ShownPlan>>;
  readonly work: (script: Script, options: O) => Promise<(context: EngineContext) => Promise<void>>;
};

/** Runs a command from the process's arguments to the end of the process. */
export async function runScriptCommand<O extends ScriptOptions>(command: ScriptCommand<O>): Promise<void> {
  await runCommand(async ({ early, late, begin }) => {
    const program = describeProgram(command, early);
    program.parse();
    const options = program.opts<O>();
    const [{ lateError, loadScript }, { config, output }] = await Promise.all([
      import("../script/load.js"),
      begin({ ...options, live: !options.plan }),
    ]);
    if (options.json) scriptOutputToEvents(output.report);
    const script = await loadScript(program.args[0] ?? "", command.kind, config);
    late.explain = (error) => lateError(error, script);
    if (options.plan) await showPlan(await command.plan(script, options), output, config);
    else {
      const surroundings = { name: program.name(), rightsHint: "--plan and --help", output, config, late };
      await workAsRoot(await command.work(script, options), surroundings);
    }
    output.done();
  });
}

/** Arguments and options, from which help and completions come as well. */
function describeProgram<O extends ScriptOptions>({ kind, describe, help, values = {} }: ScriptCommand<O>, output: Output): Command {
  const name = `nspawn-${kind}`;
  const program = describe(new Command(name))
    .description(help.description)
    .argument("<script>")
    .option("--plan", "print what would be done, and do nothing; needs no root");
  addCompletionOption(addCommonOptions(throwErrors(program, output)))
    .version(packageVersion(), "--version", "print the version")
    .addHelpText("after", help.after);
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

/** The error for an option's value that is none of a few words. */
export function notOneOf(option: string, value: string, words: readonly string[]): UsageError {
  return new UsageError(`${option} is one of ${words.join(", ")}, not ${JSON.stringify(value)}`);
}
