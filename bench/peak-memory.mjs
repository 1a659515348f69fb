// @ts-check
// Preloaded into a command: at its end it writes its peak resident memory, in kB, to BENCH_PEAK_FILE.
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const file = process.env.BENCH_PEAK_FILE;
if (isMainThread && file !== undefined) process.once("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
