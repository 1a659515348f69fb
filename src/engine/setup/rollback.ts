import { stat } from "node:fs/promises";
import { join } from "node:path";
import { NspawnError } from "../../base/errors.js";
import { type Generation, generationBefore, nextNumber } from "../../machine/generations.js";

/**
 * The generation that a rollback brings back: that before the one of now, or the one with a number.
 * @param generations those of the machine, the oldest first
 * @param extractFolder folder of the layers in the store
 * @throws NspawnError where there is none, or not all of its layers
 */
export async function rollbackTarget(
  name: string,
  generations: readonly Generation[],
  current: Generation,
  { number, extractFolder }: { readonly number: number | undefined; readonly extractFolder: string },
): Promise<Generation> {
  const others = generations.filter((generation) => generation.number !== current.number && !generation.trial);
  const hint =
    others.length > 0 ? `there are ${listOf(others)}: --generation=NUMBER takes one of them` : "updates from now on will leave some";
  if (number === current.number) throw new NspawnError(`the machine ${name} is at generation ${number} already`, { hint });
  const target = number === undefined ? generationBefore(others, current) : others.find((other) => other.number === number);
  if (!target) {
    const what = number === undefined ? `no generation before ${current.restored ?? current.number}` : `no generation ${number}`;
    throw new NspawnError(`the machine ${name} has ${what} to go back to`, { hint });
  }
  const missing = await missingLayers(target, extractFolder);
  if (missing.length === 0) return target;
  throw new NspawnError(
    `generation ${target.number} of the machine ${name} cannot come back: its layers ${missing.join(", ")} are not in the store`,
    {
      hint: `they are of ${target.image}; name that in IMAGE, and update the machine`,
    },
  );
}

/** A generation that was before as the newest one: with its unit, its probe, and what it has written. */
export function restored(target: Generation, generations: readonly Generation[]): Generation {
  return { ...target, number: nextNumber(generations), time: new Date().toISOString(), restored: target.number };
}

function listOf(generations: readonly Generation[]): string {
  return generations.map(({ number, image }) => `${number} (${image})`).join(", ");
}

async function missingLayers({ layers }: Generation, extractFolder: string): Promise<readonly string[]> {
  const isThere = (id: string): Promise<boolean> =>
    stat(join(extractFolder, id)).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
  const there = await Promise.all(layers.map(isThere));
  return layers.filter((_, index) => !there[index]);
}
