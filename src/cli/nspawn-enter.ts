#!/usr/bin/env node
import { Command } from "commander";
import { packageVersion } from "../base/package-version.js";
import type { Wanted } from "../engine/enter/enter.js";
import { addCompletionOption, throwErrors } from "./common-options.js";
import { enterHelp } from "./help.js";
import { runCommand } from "./session.js";

void runCommand(async ({ early }) => {
  const program = throwErrors(new Command("nspawn-enter"), early)
    .description(enterHelp.description)
    .argument("<machine>", "its name, as in nspawn machine list")
    .argument("[command...]", "one word: a line for sh; several, or after --: a program and its arguments")
    .usage("[options] MACHINE [COMMAND]\n       nspawn-enter [options] MACHINE [--] PROGRAM [ARGUMENT]...")
    // What follows the machine is the command's own.
    .passThroughOptions()
    .option("--verbose", "print the stack of an error")
    .helpOption("--help", "print this help")
    .version(packageVersion(), "--version", "print the version")
    .addHelpText("after", enterHelp.after);
  addCompletionOption(program);
  program.parse();
  const [machine = "", ...words] = program.args;
  const { enterAsRoot } = await import("./enter-as-root.js");
  process.exitCode = await enterAsRoot("nspawn-enter", machine, wantedBy(words));
}, wordsOfOurs(process.argv));

/** One word is a line for the shell; a `--`, or more than one, say that it is a program with its arguments. */
function wantedBy(words: readonly string[]): Wanted {
  const [first, ...others] = words;
  if (first === "--" && others.length > 0) return { kind: "program", argv: others };
  if (first === undefined || first === "--") return { kind: "shell" };
  return others.length === 0 ? { kind: "line", line: first } : { kind: "program", argv: words };
}

/** The arguments before the machine: behind it, `--verbose` or `--json` mean something to another program. */
function wordsOfOurs(argv: readonly string[]): readonly string[] {
  const [node = "", script = "", ...words] = argv;
  const machine = words.findIndex((word) => !word.startsWith("-"));
  return [node, script, ...(machine < 0 ? words : words.slice(0, machine))];
}
