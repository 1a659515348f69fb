// @ts-check
// Runs the benchmark's rows and prints them. Each row measures ours and the plain tools in turn, so that both see the same machine.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chart } from "./chart.mjs";
import { measureRow } from "./measure.mjs";
import { report, shown } from "./report.mjs";
import { machineRows } from "./rows/machines.mjs";
import { pullRows } from "./rows/pull.mjs";
import { pushRows } from "./rows/push.mjs";
import { start } from "./rows/start.mjs";
import { stepRows } from "./rows/steps.mjs";
import { webRows } from "./rows/web.mjs";

/** @type {readonly ((place: import("./measure.mjs").Place) => readonly import("./measure.mjs").Row[])[]} */
const groups = [start, stepRows, webRows, pullRows, pushRows, machineRows];

const { values, positionals } = parseArgs({
  options: {
    work: { type: "string" },
    rounds: { type: "string", default: "5" },
    out: { type: "string" },
    json: { type: "string" },
  },
  allowPositionals: true,
});
// What the caller has Node do at each start, such as to read certificates, which takes 40 ms, is no part of ours, nor of `node -e 0`.
for (const name of ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS"]) delete process.env[name];
const work = values.work;
if (work === undefined) throw new Error("--work is missing: start it by scripts/bench");
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a whole number from 1, not ${values.rounds}`);
const place = { work, prefix: `${work}/prefix`, project: new URL("..", import.meta.url).pathname };
const all = groups.flatMap((group) => group(place));
const rows = all.filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
if (rows.length === 0) throw new Error(`no row has a name like that; rows are:\n${all.map(({ name }) => `  ${name}`).join("\n")}`);

console.log(line(["row", "ours", "plain", "ratio", "target", "holds"]));
const results = rows.map((row, index) => {
  const result = measureRow(row, rounds, (round, count) => {
    const what = round === 0 ? "warming up" : `round ${round} of ${count}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K[${index + 1}/${rows.length}] ${row.name}: ${what}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  const { name, unit, ours, plain, target, holds } = result;
  const ratio = plain === undefined ? "" : (ours / plain).toFixed(2);
  console.log(line([name, shown(ours, unit), shown(plain, unit), ratio, target, holds ? "yes" : "NO"]));
  return result;
});

/** @type {import("./report.mjs").Run} */
const run = {
  date: new Date().toISOString(),
  machine: {
    system: `Debian ${readFileSync("/etc/debian_version", "utf8").trim()}, Linux ${release()}`,
    processor: cpus()[0]?.model.trim() || "unknown",
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
  },
  rounds,
  seconds: Math.round(performance.now() / 1000),
  results,
};
const json = `${JSON.stringify(run, undefined, 2)}\n`;
if (values.json !== undefined) writeFileSync(values.json, json);
// Some rows alone are no report.
const out = values.out ?? (positionals.length === 0 ? join(place.project, "docs") : undefined);
if (out !== undefined) {
  writeFileSync(join(out, "benchmarks.json"), json);
  writeFileSync(join(out, "benchmarks.svg"), chart(results));
  writeFileSync(join(out, "benchmarks.md"), report(run));
  console.log(`written: ${join(out, "benchmarks.md")}, .svg and .json`);
}

/** @param {readonly string[]} cells */
function line(cells) {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(44) : index === 4 ? `  ${cell.padEnd(42)}` : cell.padStart(9))).join(" ");
}
