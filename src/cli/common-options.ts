import { type Command, CommanderError, Option } from "commander";
import { UsageError } from "../base/errors.js";
import { type Completed, completion, completionShells } from "./completion/completion.js";
import type { Output } from "./output.js";

/** The options that every command has. */
export type CommonOptions = {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  readonly config?: readonly string[];
};

/** Adds them, behind those that the command has already. */
export function addCommonOptions(command: Command): Command {
  return command
    .addOption(new Option("--quiet", "print errors and warnings only").conflicts("verbose"))
    .option("--verbose", "print more, and the stack of an error")
    .option("--json", "print what happens as JSON, an object a line")
    .option("--config <[section]key=value>", "override the configuration; may be repeated", (value, all: string[] = []) => [...all, value])
    .helpOption("--help", "print this help");
}

/** Adds what prints completions and ends, as `--help` does; they have to be told in `--help` of the whole command only. */
export function addCompletionOption(command: Command, { values, ...completed }: Omit<Completed, "command"> = {}): Command {
  const shells = Object.fromEntries(completionShells.map((known) => [known, ""]));
  command.on("option:completion", (shell: string) => {
    process.stdout.write(completion(shell, [{ ...completed, command, values: { "--completion": shells, ...values } }]));
    throw new CommanderError(0, "nspawn.completion", "");
  });
  return command.option("--completion <shell>", `print completions for ${completionShells.join(", ")}`);
}

/** Has commander throw, and tell what is wrong with the arguments the way this command tells errors. Holds for subcommands made later. */
export function throwErrors(command: Command, output: Output): Command {
  return command.exitOverride().configureOutput({
    outputError: (text, write) =>
      process.argv.includes("--json")
        ? output.failed(new UsageError(text.trim().replace(/^error: /, "")))
        : write(text.replace(/^error: /, `${command.name()}: `)),
  });
}
