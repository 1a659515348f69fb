import { type Entry, endings, type Flag, type Operands, pathsOf } from "./completion.js";

/** A `complete` for each option; complete(1) of fish. */
export function fish(entries: readonly Entry[]): string {
  return entries.map((entry) => (entry.commands.length > 0 ? groupLines(entry) : lines(entry))).join("\n");
}

/** What may come after the words before is told by a function that finds the command that they lead to. */
function groupLines(entry: Entry): string {
  const paths = pathsOf(entry);
  const [, ...below] = paths;
  const finder = `__${entry.name}_command`;
  const complete = `complete -c ${entry.name}`;
  return [
    `# Completions of ${entry.name} for fish.`,
    `function ${finder}`,
    `  set -l path ${entry.name}`,
    "  for word in (commandline -opc)[2..-1]",
    `    switch "$path $word"`,
    `      case ${below.map(({ words }) => quoted(words)).join(" ")}`,
    '        set path "$path $word"',
    "    end",
    "  end",
    '  test "$path" = "$argv[1]"',
    "end",
    `${complete} -f`,
    ...paths.flatMap(({ words, operands, flags, commands }) => {
      const here = `-n ${quoted(`${finder} "${words}"`)}`;
      return [
        ...commands.map(({ name, help }) => `${complete} ${here} -a ${name} -d ${quoted(help)}`),
        ...flags.map((flag) => `${complete} ${here} ${option(flag)}`),
        ...(operands.kind === "machines" ? [`${complete} ${here} -a ${namesIn(operands)}`] : []),
      ];
    }),
    "",
  ].join("\n");
}

function lines(entry: Entry): string {
  const { name, operands, called, flags } = entry;
  if (operands.kind === "machines") return machineLines(entry, operands);
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

function machineLines({ name, flags }: Entry, operands: Machines): string {
  const complete = `complete -c ${name} ${operands.first ? "-n __fish_is_first_token " : ""}-f`;
  return [
    `# Completions of ${name} for fish.`,
    `complete -c ${name} -f`,
    `${complete} -a ${namesIn(operands)}`,
    ...flags.map((flag) => `${complete} ${option(flag)}`),
    "",
  ].join("\n");
}

type Machines = Extract<Operands, { readonly kind: "machines" }>;

/** A command substitution, which fish does when it is asked for proposals. */
function namesIn({ names }: Machines): string {
  return quoted(`(sh -c ${quoted(names)})`);
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
