#!/usr/bin/env node
import { Command } from "commander";
import { packageVersion } from "../base/package-version.js";
import { addCommonOptions, addCompletionOption, type CommonOptions, throwErrors } from "./common-options.js";
import { nspawnHelp } from "./help.js";
import { workAsRoot } from "./root-work.js";
import { runCommand, type Start } from "./session.js";
import type { Deed, Subcommand } from "./subcommand.js";

/** A word after `nspawn`: a command, or a group of them. Loaded when it is called. */
type Entry = { readonly summary: string } & (
  | { readonly kind: "command"; readonly load: () => Promise<Subcommand> }
  | { readonly kind: "group"; readonly load: () => Promise<readonly Subcommand[]> }
);

const entries: Readonly<Record<string, Entry>> = {
  image: {
    kind: "group",
    summary: "list, inspect, pull and remove images of the store",
    load: async () => (await import("./image/image.js")).imageCommands,
  },
  machine: {
    kind: "group",
    summary: "list the machines of this host, look into them, read their logs",
    load: async () => (await import("./machine/machine.js")).machineCommands,
  },
  prune: {
    kind: "command",
    summary: "remove from the store what nothing needs any more",
    load: async () => (await import("./image/prune.js")).prune,
  },
};

void runCommand(async (start) => {
  const words = process.argv.slice(2);
  const wantsAll = words.some((word) => word.startsWith("--completion"));
  const called = words.find((word) => !word.startsWith("-"));
  const program = throwErrors(new Command("nspawn"), start.early)
    .description(nspawnHelp.description)
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .version(packageVersion(), "--version", "print the version")
    .addHelpText("after", nspawnHelp.after);
  addCompletionOption(program);
  for (const [name, entry] of Object.entries(entries)) {
    const command = program.command(name).summary(entry.summary);
    if (wantsAll || name === called) await describeEntry(command, entry, start);
  }
  await program.parseAsync();
});

async function describeEntry(command: Command, entry: Entry, start: Start): Promise<void> {
  if (entry.kind === "command") return describeCommand(command, await entry.load(), start);
  command
    .description(`${entry.summary[0]?.toUpperCase()}${entry.summary.slice(1)}.`)
    .usage("<command>")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .addHelpText("after", `\nnspawn ${command.name()} <command> --help says more, with examples.`);
  for (const subcommand of await entry.load()) describeCommand(command.command(subcommand.name), subcommand, start);
}

function describeCommand(
  command: Command,
  { summary, description, examples, describe, deed, ...subcommand }: Subcommand,
  start: Start,
): void {
  if (subcommand.arguments !== undefined) command.arguments(subcommand.arguments);
  addCommonOptions(describe?.(command) ?? command)
    .summary(summary)
    .description(description)
    .addHelpText("after", `\nExamples:\n${examples.trimEnd()}`)
    .action(async () => run(await deed(command.args, command.opts()), command, start));
}

async function run(deed: Deed, command: Command, { begin, late }: Start): Promise<void> {
  const options = command.opts<CommonOptions>();
  const { config, output } = await begin({ ...options, live: deed.kind === "work" });
  if (deed.kind === "work") {
    const name = `nspawn ${command.parent?.parent ? `${command.parent.name()} ` : ""}${command.name()}`;
    await workAsRoot(deed.work, { name, rightsHint: "commands that change nothing", output, config, late });
    return output.done();
  }
  if (deed.kind === "program") {
    const { runInForeground } = await import("../host/foreground.js");
    process.exitCode = await runInForeground(await deed.command());
    return;
  }
  const [{ LocalHost }, { show }] = await Promise.all([import("../host/local.js"), import("./show.js")]);
  show(await deed.look({ host: new LocalHost(), config, report: output.report }), options);
}
