import type { Command, Option } from "commander";
import { UsageError } from "../../base/errors.js";
import { bash } from "./bash.js";
import { fish } from "./fish.js";
import { machineNames } from "./machine-names.js";
import { zsh } from "./zsh.js";

/** A command that shells complete. */
export type Completed = {
  readonly command: Command;
  /** Scripts with this name and an ending of {@link endings} are completed like the command itself: `build` for `./build.ts`. */
  readonly script?: string;
  /** For an option by its long name, the words that it takes, each with what it means; else its `choices` count. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** An option in the form that all shells can be told. `names`: with their dashes, the long one first. */
export type Flag = {
  readonly names: readonly string[];
  readonly help: string;
  readonly takesValue: boolean;
  readonly values: Readonly<Record<string, string>>;
};

/** A command likewise. `called`: all names that it is completed for, its own and those of scripts; `commands`: those below it. */
export type Entry = {
  readonly name: string;
  readonly operands: Operands;
  readonly help: string;
  readonly called: readonly string[];
  readonly flags: readonly Flag[];
  readonly commands: readonly Entry[];
};

/**
 * What its arguments are. `names`: a line of sh that prints what may be proposed, one a line, of characters that mean nothing to a shell; `first`:
 * whether only the first one is of these, and the rest is another program's own.
 */
export type Operands =
  | { readonly kind: "scripts" }
  | { readonly kind: "machines"; readonly names: string; readonly first: boolean }
  | { readonly kind: "others" };

/** A command by all of its words: `nspawn image list`. */
export type Path = Pick<Entry, "operands" | "flags" | "commands"> & { readonly words: string };

/** A command and all below it. */
export function pathsOf({ name, operands, flags, commands }: Entry, before = ""): readonly Path[] {
  const words = `${before}${name}`;
  return [{ words, operands, flags, commands }, ...commands.flatMap((command) => pathsOf(command, `${words} `))];
}

/** Endings of scripts' names. */
export const endings = ["ts", "mts", "js", "mjs"] as const;

const writers = { bash, zsh, fish } as const;
export const completionShells = Object.keys(writers) as readonly (keyof typeof writers)[];

/**
 * A script that tells a shell how to complete commands, made from their options.
 * @param shell one of {@link completionShells}
 * @param names a line of sh that prints the names of machines, another one only in tests
 * @throws UsageError
 */
export function completion(shell: string, commands: readonly Completed[], names = machineNames): string {
  const known = completionShells.find((name) => name === shell);
  if (!known) throw new UsageError(`there are completions for ${completionShells.join(", ")}, not for ${JSON.stringify(shell)}`);
  return writers[known](commands.map((command) => entryOf(command, names)));
}

function entryOf({ command, script, values = {} }: Completed, names: string): Entry {
  const scripts = script === undefined ? [] : endings.map((ending) => `${script}.${ending}`);
  const options = command.createHelp().visibleOptions(command);
  return {
    name: command.name(),
    operands: operandsOf(command, names),
    help: firstWords(command.summary()),
    called: [command.name(), ...scripts],
    flags: options.map((option) => flagOf(option, values[option.long ?? ""])),
    commands: command.commands.map((below) => entryOf({ command: below, values }, names)),
  };
}

/** By the name of the first argument: `<script>`, `<machine>`, `<machine...>`. */
function operandsOf({ registeredArguments: [first, ...others] }: Command, names: string): Operands {
  if (first?.name() === "script") return { kind: "scripts" };
  return first?.name() === "machine" ? { kind: "machines", names, first: others.length > 0 } : { kind: "others" };
}

function flagOf(option: Option, values: Readonly<Record<string, string>> | undefined): Flag {
  const words = values ?? Object.fromEntries((option.argChoices ?? []).map((choice) => [choice, ""]));
  return {
    names: [option.long, option.short].filter((name) => name !== undefined && name !== null),
    help: firstWords(option.description),
    takesValue: option.required || option.optional,
    values: Object.fromEntries(Object.entries(words).map(([word, meaning]) => [word, firstWords(meaning)])),
  };
}

/** What fits beside a word in a list. */
function firstWords(help: string): string {
  return help.replace(/\s*[;(\n].*$/s, "");
}
