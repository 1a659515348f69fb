import { expect } from "vitest";
import { tries } from "../../support/tries.js";
import { type Running, sleep } from "./build.js";

/** Kills in all, and how many are tried side by side. */
export const kills = tries(100);
export const lanes = 4;

/** Runs the same trials in every lane, a share each. Returns how many of them killed something. */
export async function inLanes(trial: (lane: number, moment: number) => Promise<boolean>): Promise<number> {
  const lane = async (number: number): Promise<number> => {
    let killed = 0;
    for (let i = number; i < kills; i += lanes) {
      // One after the other over the whole time that it takes, each at a random moment of its part.
      if (await trial(number, (i + Math.random()) / kills)) killed++;
    }
    return killed;
  };
  const counts = await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** @returns whether it still ran */
export async function killAfter({ child, ended }: Pick<Running, "child" | "ended">, milliseconds: number): Promise<boolean> {
  await sleep(milliseconds);
  child.kill("SIGKILL");
  return (await ended).signal === "SIGKILL";
}

/** Milliseconds that a command takes while the other lanes work, too. */
export async function timeOf(
  run: (lane: number) => Promise<{ readonly code: number | undefined; readonly stderr: string }>,
): Promise<number> {
  const times = await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const began = performance.now();
      const { code, stderr } = await run(lane);
      expect(code, stderr).toBe(0);
      return performance.now() - began;
    }),
  );
  return times.reduce((sum, time) => sum + time, 0) / lanes;
}
