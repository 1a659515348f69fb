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

/**
 * How long a command takes: as measured once, and less from the first one on that ended before it was to be killed. The first time is
 * often the slowest, and where most kills come too late they show nothing.
 */
export class Pace {
  #milliseconds: number;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /**
   * Kills a command that has just been started.
   *
   * @param moment  when: a part of its time, 0 to 1
   * @returns whether it still ran
   */
  async kill({ child, ended }: Pick<Running, "child" | "ended">, moment: number): Promise<boolean> {
    const signal = async (): Promise<boolean> => {
      child.kill("SIGKILL");
      return (await ended).signal === "SIGKILL";
    };
    return this.interrupt(ended, moment, signal);
  }

  /**
   * The same with another way to kill it.
   *
   * @param kill  tells whether there was something to kill
   */
  async interrupt(ended: Promise<unknown>, moment: number, kill: () => Promise<boolean>): Promise<boolean> {
    const began = performance.now();
    let took = Number.POSITIVE_INFINITY;
    const watched = ended.then(() => {
      took = performance.now() - began;
    });
    await sleep(moment * this.#milliseconds);
    const wasKilled = await kill();
    await watched;
    if (!wasKilled) this.#milliseconds = Math.min(this.#milliseconds, took);
    return wasKilled;
  }
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
