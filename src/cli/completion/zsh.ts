import { type Entry, endings, type Flag, type Operands, pathsOf } from "./completion.js";
import { singleQuoted } from "./quote.js";

/** To be sourced, or to be put into a folder of $fpath as `_nspawn-build`; zshcompsys(1), "_arguments". */
export function zsh(entries: readonly Entry[]): string {
  const called = entries.flatMap((entry) => entry.called);
  return [
    `#compdef ${called.join(" ")}`,
    ...entries.flatMap((entry) => machinesFunction(entry) ?? []).slice(0, 1),
    ...entries.map((entry) => (entry.commands.length > 0 ? groupCompleter(entry) : completer(entry))),
    start(entries),
  ].join("\n");
}

/** A function for each command below, `_nspawn_image_list`, which the one above it calls with the words that are its own. */
function groupCompleter(entry: Entry): string {
  const functions = pathsOf(entry).map(({ words, operands, flags, commands }) => {
    const specs = flags.flatMap((flag) => flag.names.map((word) => singleQuoted(spec(flag, word))));
    const name = `_${words.replaceAll(" ", "_")}`;
    if (commands.length === 0) {
      const all = [...specs, ...(operands.kind === "machines" ? machineSpecs(operands) : [])];
      return `${name}() {\n  _arguments -S \\\n    ${all.join(" \\\n    ")}\n}`;
    }
    const proposed = commands.map((command) => `${command.name}\\:"${escaped(command.help).replaceAll('"', "")}"`).join(" ");
    return `${name}() {
  local line state
  _arguments -S -C \\
    ${[...specs, singleQuoted(`1:command:((${proposed}))`), "'*:::rest:->rest'"].join(" \\\n    ")}
  if [[ $state != rest ]]; then return; fi
  words=($line[1] "\${words[@]}")
  (( CURRENT += 1 ))
  case $line[1] in
${commands.map((command) => `    ${command.name}) ${name}_${command.name} ;;`).join("\n")}
  esac
}`;
  });
  const called = entry.called.join(" ");
  return `# Completions of ${entry.name} for zsh.
${functions.join("\n")}
if (( $+functions[compdef] )); then compdef _${entry.name} ${called}; fi
`;
}

function completer({ name, operands, called, flags }: Entry): string {
  const specs = flags.flatMap((flag) => flag.names.map((word) => singleQuoted(spec(flag, word))));
  const script = `
  local -a script
  if [[ \${words[1]:t} == ${name} ]]; then script=(${singleQuoted(`*:script:_files -g "*.(${endings.join("|")})(-.)"`)}); fi`;
  const isOfMachines = operands.kind === "machines";
  return `# Completions of ${name} for zsh.
_${name}() {${isOfMachines ? "" : script}
  _arguments -S \\
    ${[...specs, ...(isOfMachines ? machineSpecs(operands) : ["$script"])].join(" \\\n    ")}
}
if (( $+functions[compdef] )); then compdef _${name} ${called.join(" ")}; fi
`;
}

/** What follows the first one may be another program's own. */
function machineSpecs({ first }: Machines): readonly string[] {
  return (first ? ["1:machine:_nspawn_machine_names", "*:::command: "] : ["*:machine:_nspawn_machine_names"]).map(singleQuoted);
}

type Machines = Extract<Operands, { readonly kind: "machines" }>;

/** The function that {@link machineSpecs} call, if a command needs it. */
function machinesFunction(entry: Entry): string | undefined {
  const operands = pathsOf(entry).flatMap((path) => (path.operands.kind === "machines" ? [path.operands] : []));
  return operands[0] && `_nspawn_machine_names() {\n  compadd -- \${(f)"$(sh -c ${singleQuoted(operands[0].names)})"}\n}`;
}

function spec({ takesValue, help, values }: Flag, name: string): string {
  if (!takesValue) return `${name}[${escaped(help)}]`;
  const words = Object.entries(values).map(([word, meaning]) => `${word}\\:"${escaped(meaning).replaceAll('"', "")}"`);
  return `${name}=[${escaped(help)}]:${name.replace(/^-+/, "")}:${words.length > 0 ? `((${words.join(" ")}))` : " "}`;
}

function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

/** As a file of $fpath this is the function itself when it is first called, and has to complete at once. */
function start(entries: readonly Entry[]): string {
  const cases = entries.map(({ name, called }) => `    ${called.join("|")}) _${name} "$@" ;;`);
  return `if [[ $funcstack[1] == _nspawn* ]]; then
  case \${words[1]:t} in
${cases.join("\n")}
  esac
fi
`;
}
