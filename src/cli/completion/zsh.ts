import { type Entry, endings, type Flag, pathsOf } from "./completion.js";
import { singleQuoted } from "./quote.js";

/** To be sourced, or to be put into a folder of $fpath as `_nspawn-build`; zshcompsys(1), "_arguments". */
export function zsh(entries: readonly Entry[]): string {
  const called = entries.flatMap((entry) => entry.called);
  return [
    `#compdef ${called.join(" ")}`,
    ...entries.map((entry) => (entry.commands.length > 0 ? groupCompleter(entry) : completer(entry))),
    start(entries),
  ].join("\n");
}

/** A function for each command below, `_nspawn_image_list`, which the one above it calls with the words that are its own. */
function groupCompleter(entry: Entry): string {
  const functions = pathsOf(entry).map(({ words, flags, commands }) => {
    const specs = flags.flatMap((flag) => flag.names.map((word) => singleQuoted(spec(flag, word))));
    const name = `_${words.replaceAll(" ", "_")}`;
    if (commands.length === 0) return `${name}() {\n  _arguments -S \\\n    ${specs.join(" \\\n    ")}\n}`;
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

function completer({ name, called, flags }: Entry): string {
  const specs = flags.flatMap((flag) => flag.names.map((word) => singleQuoted(spec(flag, word))));
  return `# Completions of ${name} for zsh.
_${name}() {
  local -a script
  if [[ \${words[1]:t} == ${name} ]]; then script=(${singleQuoted(`*:script:_files -g "*.(${endings.join("|")})(-.)"`)}); fi
  _arguments -S \\
    ${[...specs, "$script"].join(" \\\n    ")}
}
if (( $+functions[compdef] )); then compdef _${name} ${called.join(" ")}; fi
`;
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
