// @ts-check
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Where a benchmark works: a folder of its own, the installed package, the project.
 * @typedef {{ readonly work: string, readonly prefix: string, readonly project: string }} Place
 */

/**
 * One row: `ours` and `plain` each do the work once and return what they measured, in the row's unit. `target` says in words
 * what `holds` checks.
 * @typedef {{
 *   readonly name: string, readonly unit: "ms" | "MB", readonly rounds?: number,
 *   readonly ours: () => number, readonly plain?: () => number,
 *   readonly target: string, readonly holds: (ours: number, plain: number) => boolean,
 * }} Row
 */

/**
 * Medians of several rounds, ours and plain in turn, after one round that does not count.
 * @param {Row} row
 * @param {number} rounds
 */
export function measureRow(row, rounds) {
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const plain = [];
  const count = row.rounds ?? rounds;
  for (let round = count === 1 ? 1 : 0; round <= count; round++) {
    const samples = [row.ours(), row.plain?.()];
    if (round === 0) continue;
    ours.push(samples[0] ?? Number.NaN);
    if (samples[1] !== undefined) plain.push(samples[1]);
  }
  const result = { ours: median(ours), plain: plain.length > 0 ? median(plain) : undefined };
  return {
    name: row.name,
    unit: row.unit,
    rounds: count,
    ...result,
    target: row.target,
    holds: row.holds(result.ours, result.plain ?? Number.NaN),
    samples: { ours, plain },
  };
}

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/**
 * Runs a command that has to succeed, and returns the milliseconds that it took.
 * @param {readonly string[]} argv
 * @param {Readonly<Record<string, string>>} [env]
 */
export function time(argv, env = {}) {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("there is no command");
  const began = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (error) throw error;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}: ${stderr}`);
  return took;
}

/**
 * Runs one of our commands, and returns its own peak memory in MB (10^6 bytes), without the programs that it starts.
 * @param {Place} place
 * @param {readonly string[]} argv
 * @param {Readonly<Record<string, string>>} [env]
 */
export function peakMemory(place, argv, env = {}) {
  const file = join(place.work, "peak");
  time(argv, { ...env, NODE_OPTIONS: `--import=${join(place.project, "bench/peak-memory.mjs")}`, BENCH_PEAK_FILE: file });
  const kilobytes = Number(readFileSync(file, "utf8"));
  rmSync(file);
  return (kilobytes * 1024) / 1e6;
}
