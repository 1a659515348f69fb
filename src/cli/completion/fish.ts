import { type Entry, endings, type Flag } from "./completion.js";

/** A `complete` for each option; complete(1) of fish. */
export function fish(entries: readonly Entry[]): string {
  return entries.map(lines).join("\n");
}

function lines({ name, called, flags }: Entry): string {
  const files = `__${name.replaceAll("-", "_")}_files`;
  return [
    `# Completions of ${name} for fish.`,
    `function ${files}`,
    // What fish proposes for a command that it knows nothing of: files.
    `  complete -C "${name}-no-such-command "(commandline -ct | string collect) | string match -r '.*/$|.*\\.(?:${endings.join("|")})$'`,
    "end",
    `complete -c ${name} -a ${quoted(`(${files})`)}`,
    ...called.flatMap((command) => [`complete -c ${command} -f`, ...flags.map((flag) => `complete -c ${command} ${option(flag)}`)]),
    "",
  ].join("\n");
}

function option({ names, help, takesValue, values }: Flag): string {
  const words = Object.entries(values).map(([word, meaning]) => `${word}\\t${quoted(meaning)}`);
  return [
    ...names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)),
    ...(takesValue ? ["-x"] : []),
    ...(words.length > 0 ? [`-a ${quoted(words.join(" "))}`] : []),
    `-d ${quoted(help)}`,
  ].join(" ");
}

/** In single quotes of fish, a backslash escapes a quote and itself. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
