import { type Entry, endings, type Flag, type Operands, pathsOf } from "./completion.js";
import { singleQuoted } from "./quote.js";

/** A function for each command; bash(1), "Programmable Completion". */
export function bash(entries: readonly Entry[]): string {
  return entries.map((entry) => (entry.commands.length > 0 ? groupCompleter(entry) : completer(entry))).join("\n");
}

/** Finds the command that the words before lead to, and completes what may come after it. */
function groupCompleter(entry: Entry): string {
  const paths = pathsOf(entry);
  const [, ...below] = paths;
  const cases = paths.map(({ words, operands, flags, commands }) => {
    const values = flags.flatMap(valueCase);
    return [
      `    ${singleQuoted(words)})`,
      ...(values.length > 0 ? ["      case $before in", ...values.map((line) => `    ${line}`), "      esac"] : []),
      `      names=${singleQuoted(namesOf(flags))} commands=${wordsOf(operands, commands)} ;;`,
    ].join("\n");
  });
  return `# Completions of ${entry.name} for bash.
_${entry.name}() {
${currentWord}
  local part path=${entry.name} names commands
  for part in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $part" in ${below.map(({ words }) => singleQuoted(words)).join("|")}) path+=" $part" ;; esac
  done
  case $path in
${cases.join("\n")}
  esac
  if [[ $word == -* ]]; then
    ${proposeNames("$names")}
  else mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
  fi
}
complete -F _${entry.name} ${entry.called.join(" ")}
`;
}

/** Sets the word that is completed, and the one before it. */
const currentWord = `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # The = of --option=value is a word of its own here.
  if [[ $word == "=" ]]; then word=""
  elif [[ $before == "=" ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi`;

/** @param names a word of bash: the names of options */
function proposeNames(names: string): string {
  return `mapfile -t COMPREPLY < <(compgen -W "${names}" -- "$word")
    if [[ \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi`;
}

function namesOf(flags: readonly Flag[]): string {
  return flags.flatMap((flag) => flag.names.map((word) => `${word}${flag.takesValue ? "=" : ""}`)).join(" ");
}

/** A word of bash: what may come next that is no option. */
function wordsOf(operands: Operands, commands: readonly Entry[]): string {
  if (operands.kind === "machines") return `$(sh -c ${singleQuoted(operands.names)})`;
  return singleQuoted(commands.map(({ name }) => name).join(" "));
}

function completer({ name, operands, called, flags }: Entry): string {
  const id = `_${name.replaceAll("-", "_")}`;
  return `# Completions of ${name} for bash.
${id}() {
${currentWord}
  case $before in
${flags.flatMap(valueCase).join("\n")}
  esac${operands.kind === "machines" && operands.first ? endAfterFirst : ""}
  if [[ $word == -* ]]; then
    ${proposeNames(namesOf(flags))}
  elif [[ \${COMP_WORDS[0]##*/} == ${name} ]]; then
${proposeOperands(operands)}
  fi
}
complete -F ${id} ${called.join(" ")}
`;
}

/** What comes after the first word that is no option is another program's. */
const endAfterFirst = `
  local part
  for part in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $part != -* ]]; then return; fi
  done`;

function proposeOperands(operands: Operands): string {
  if (operands.kind !== "scripts") return `    mapfile -t COMPREPLY < <(compgen -W "${wordsOf(operands, [])}" -- "$word")`;
  return `    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -- "$word" | grep -E '\\.(${endings.join("|")})$')`;
}

/** What comes after an option with a value: its words, or nothing. */
function valueCase({ names, takesValue, values }: Flag): readonly string[] {
  if (!takesValue) return [];
  const words = singleQuoted(Object.keys(values).join(" "));
  return [`    ${names.join("|")}) mapfile -t COMPREPLY < <(compgen -W ${words} -- "$word"); return ;;`];
}
