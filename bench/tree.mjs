// @ts-check
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder with files from a few bytes to a megabyte in 500 folders, about as easy to compress as programs and their data are; always the
 * same.
 * @param {(index: number) => string} rootOf the folder that a file goes to, by its number
 * @param {{ readonly count: number, readonly bytes: number }} size how many files, and bytes in all of them
 */
export function makeTree(rootOf, { count, bytes }) {
  const random = generator(1);
  const pool = makePool(random);
  const weights = Array.from({ length: count }, () => random() ** 8);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const made = new Set();
  for (const [index, weight] of weights.entries()) {
    const folder = join(rootOf(index), `usr/folder-${index % 500}`);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    const length = Math.min(pool.length, Math.round((weight / sum) * bytes));
    const start = Math.floor(random() * (pool.length - length));
    writeFileSync(join(folder, `file-${index}`), pool.subarray(start, start + length));
  }
}

/** What files are cut out of: a quarter of it is noise, the rest are words. @param {() => number} random */
function makePool(random) {
  const pool = Buffer.alloc(32 << 20);
  const words = Array.from({ length: 2000 }, () =>
    random()
      .toString(36)
      .slice(2, 4 + random() * 8),
  );
  for (let at = 0; at < pool.length; ) {
    const isNoise = random() < 0.004;
    const piece = isNoise
      ? Buffer.from(Float64Array.from({ length: 64 }, random).buffer)
      : Buffer.from(`${words[Math.floor(random() * words.length)]} `);
    piece.copy(pool, at);
    at += piece.length;
  }
  return pool;
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
