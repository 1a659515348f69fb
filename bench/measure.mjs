// @ts-check
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Where a benchmark works: a folder of its own, the installed package, the project.
 * @typedef {{ readonly work: string, readonly prefix: string, readonly project: string }} Place
 */

/**
 * One row: `ours` and `plain` each do the work once and return what they measured, in the row's unit. `target` says in words
 * what `holds` checks, which is the case up to some value of `ours`. `rounds`: the most that it is worth.
 * @typedef {{
 *   readonly name: string, readonly unit: "ms" | "MB", readonly rounds?: number,
 *   readonly ours: () => number, readonly plain?: () => number,
 *   readonly target: string, readonly holds: (ours: number, plain: number) => boolean,
 * }} Row
 */

/**
 * What a row has shown: medians, how many rounds they are of, and each of those. `limit`: the most that `ours` may be.
 * @typedef {Pick<Row, "name" | "unit" | "target"> & {
 *   readonly ours: number, readonly plain?: number | undefined, readonly limit: number, readonly holds: boolean, readonly rounds: number,
 *   readonly samples: { readonly ours: readonly number[], readonly plain: readonly number[] },
 * }} Result
 */

/**
 * Medians of several rounds, ours and plain in turn, after one round that does not count, unless there are two or fewer: what takes long.
 * @param {Row} row
 * @param {number} rounds
 * @param {(round: number, count: number) => void} onRound called before each that counts
 * @returns {Result}
 */
export function measureRow(row, rounds, onRound) {
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const plain = [];
  const count = Math.min(row.rounds ?? rounds, rounds);
  for (let round = count <= 2 ? 1 : 0; round <= count; round++) {
    onRound(round, count);
    const samples = [row.ours(), row.plain?.()];
    if (round === 0) continue;
    ours.push(samples[0] ?? Number.NaN);
    if (samples[1] !== undefined) plain.push(samples[1]);
  }
  const result = { ours: median(ours), plain: plain.length > 0 ? median(plain) : undefined };
  const holds = (/** @type {number} */ value) => row.holds(value, result.plain ?? Number.NaN);
  return {
    name: row.name,
    unit: row.unit,
    rounds: count,
    ...result,
    target: row.target,
    limit: greatest(holds),
    holds: holds(result.ours),
    samples: { ours, plain },
  };
}

/** The greatest value, to a tenth, that a condition holds for which holds for all smaller ones. @param {(value: number) => boolean} holds */
function greatest(holds) {
  let [low, high] = [0, 1];
  while (holds(high) && high < 1e9) high *= 2;
  while (high - low > 0.05) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return Math.round(low * 10) / 10;
}

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/**
 * Runs a command that has to succeed, and returns the milliseconds that it took. What others have left to be written is none of its time: a disk that is
 * at work takes some of a processor, too.
 * @param {readonly string[]} argv
 * @param {Readonly<Record<string, string>>} [env]
 */
export function time(argv, env = {}) {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("there is no command");
  execFileSync("sync");
  const began = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  if (error) throw error;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}: ${stderr}`);
  return took;
}

/**
 * Runs a build of ours that pushes, and returns the milliseconds that PUSH took of it, as the command itself tells.
 * @param {readonly string[]} argv with `--json`
 * @param {Readonly<Record<string, string>>} [env]
 */
export function pushTime(argv, env = {}) {
  const [program = "", ...args] = argv;
  execFileSync("sync");
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (error) throw error;
  const pushed = stdout.split("\n").find((line) => line.includes('"event":"pushed"'));
  if (status !== 0 || pushed === undefined)
    throw new Error(`${argv.join(" ")} ended with ${status}, and pushed nothing: ${stdout}${stderr}`);
  return JSON.parse(pushed).seconds * 1000;
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
