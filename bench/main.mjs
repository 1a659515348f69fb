// @ts-check
// Runs the benchmark's rows and prints them. Each row measures ours and the plain tools in turn, so that both see the same machine.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { measureRow } from "./measure.mjs";
import { demo } from "./rows/demo.mjs";
import { pullRows } from "./rows/pull.mjs";
import { start } from "./rows/start.mjs";
import { stepRows } from "./rows/steps.mjs";

/** @type {readonly ((place: import("./measure.mjs").Place) => readonly import("./measure.mjs").Row[])[]} */
const groups = [start, stepRows, pullRows, demo];

const { values, positionals } = parseArgs({
  options: { work: { type: "string" }, rounds: { type: "string", default: "7" }, json: { type: "string" } },
  allowPositionals: true,
});
const work = values.work;
if (work === undefined) throw new Error("--work is missing: start it by scripts/bench");
const place = { work, prefix: `${work}/prefix`, project: new URL("..", import.meta.url).pathname };
const rows = groups
  .flatMap((group) => group(place))
  .filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));

console.log(line(["row", "unit", "ours", "plain", "ratio", "target", "holds"]));
const results = [];
for (const row of rows) {
  const result = measureRow(row, Number(values.rounds));
  results.push(result);
  console.log(
    line([
      result.name,
      result.unit,
      shown(result.ours),
      shown(result.plain),
      result.plain === undefined ? "" : shown(result.ours / result.plain),
      result.target,
      result.holds ? "yes" : "NO",
    ]),
  );
}
const machine = {
  node: process.version,
  kernel: release(),
  cpu: cpus()[0]?.model,
  cores: availableParallelism(),
  debian: readFileSync("/etc/debian_version", "utf8").trim(),
};
const json = JSON.stringify({ date: new Date().toISOString(), machine, rounds: Number(values.rounds), results }, undefined, 2);
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);

/** @param {number | undefined} value */
function shown(value) {
  return value === undefined ? "-" : value.toFixed(value < 10 ? 2 : 1);
}

/** @param {readonly string[]} cells */
function line(cells) {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(44) : index >= 5 ? cell.padEnd(26) : cell.padStart(9))).join(" ");
}
