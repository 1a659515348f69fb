import { type Entry, endings, type Flag } from "./completion.js";
import { singleQuoted } from "./quote.js";

/** A function for each command; bash(1), "Programmable Completion". */
export function bash(entries: readonly Entry[]): string {
  return entries.map(completer).join("\n");
}

function completer({ name, called, flags }: Entry): string {
  const id = `_${name.replaceAll("-", "_")}`;
  const names = flags.flatMap((flag) => flag.names.map((word) => `${word}${flag.takesValue ? "=" : ""}`));
  return `# Completions of ${name} for bash.
${id}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # The = of --option=value is a word of its own here.
  if [[ $word == "=" ]]; then word=""
  elif [[ $before == "=" ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $before in
${flags.flatMap(valueCase).join("\n")}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W ${singleQuoted(names.join(" "))} -- "$word")
    if [[ \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
  elif [[ \${COMP_WORDS[0]##*/} == ${name} ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -- "$word" | grep -E '\\.(${endings.join("|")})$')
  fi
}
complete -F ${id} ${called.join(" ")}
`;
}

/** What comes after an option with a value: its words, or nothing. */
function valueCase({ names, takesValue, values }: Flag): readonly string[] {
  if (!takesValue) return [];
  const words = singleQuoted(Object.keys(values).join(" "));
  return [`    ${names.join("|")}) mapfile -t COMPREPLY < <(compgen -W ${words} -- "$word"); return ;;`];
}
