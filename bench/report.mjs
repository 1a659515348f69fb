// @ts-check

/**
 * One run of the benchmark. `rounds`: the most of a row; `seconds`: how long all of it took.
 * @typedef {{
 *   readonly date: string, readonly rounds: number, readonly seconds: number,
 *   readonly machine: {
 *     readonly system: string, readonly processor: string, readonly cores: number, readonly memory: string, readonly node: string,
 *   },
 *   readonly results: readonly import("./measure.mjs").Result[],
 * }} Run
 */

/** A run as a page in Markdown, beside which the chart and the JSON lie. @param {Run} run */
export function report(run) {
  const { date, machine, rounds, seconds, results } = run;
  const times = results.filter(({ unit }) => unit === "ms");
  const memory = results.filter(({ unit }) => unit === "MB");
  const missed = results.filter(({ holds }) => !holds);
  return [
    "# Benchmarks",
    "",
    "Written by `scripts/bench`, as it measured; [benchmarks.json](benchmarks.json) has each round.",
    "",
    `- **When**: ${date.slice(0, 16).replace("T", " ")} UTC, in ${Math.round(seconds / 60)} minutes`,
    `- **Where**: ${machine.system}, ${machine.processor}, ${machine.cores} cores, ${machine.memory} of memory, Node ${machine.node}`,
    `- **How**: ours and the plain tools in turn, on the same files, each on a disk that has nothing left to write, without NODE_EXTRA_CA_CERTS and NODE_OPTIONS of the caller; medians of ${rounds} rounds, after one that does not count, or of fewer where that takes long`,
    `- **Targets**: ${results.length - missed.length} of ${results.length} hold${missed.length === 0 ? "" : `; not: ${missed.map(({ name }) => name).join("; ")}`}`,
    "",
    "![Times of ours and of the plain tools](benchmarks.svg)",
    "",
    "## Time",
    "",
    ...table(
      ["", "ours", "plain", "ratio", "target", "holds", "rounds"],
      times.map((result) => [
        result.name,
        shown(result.ours, result.unit),
        shown(result.plain, result.unit),
        result.plain === undefined ? "" : (result.ours / result.plain).toFixed(2),
        result.target,
        result.holds ? "yes" : "**no**",
        String(result.rounds),
      ]),
    ),
    "",
    "## Memory",
    "",
    "The most that the command itself had in memory (RSS), without the programs that it starts.",
    "",
    ...table(
      ["", "ours", "target", "holds"],
      memory.map(({ name, unit, ours, target, holds }) => [
        name.replace(/^memory: /, ""),
        shown(ours, unit),
        target,
        holds ? "yes" : "**no**",
      ]),
    ),
    "",
  ].join("\n");
}

/** A measured value for people. @param {number | undefined} value @param {"ms" | "MB"} unit */
export function shown(value, unit) {
  if (value === undefined) return "";
  if (unit === "MB") return `${value.toFixed(0)} MB`;
  return value < 1000 ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  return [lines[0], `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines.slice(1)];
}
