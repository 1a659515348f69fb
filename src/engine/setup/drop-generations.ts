import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../../base/errors.js";
import { clearFolder } from "../../host/clear-folder.js";
import { type Generation, listGenerations, removeGeneration } from "../../machine/generations.js";
import type { MachinePaths } from "../../machine/paths.js";
import type { ActionContext } from "./action.js";

/**
 * Removes the generations that are more than the configuration keeps, and those that a rollback has brought back under a new number; then
 * the writable layers that none needs any more.
 */
export async function dropGenerations({ host, config, paths }: ActionContext): Promise<void> {
  const generations = await listGenerations(paths);
  const kept = keptOf(generations, config.machine.keepGenerations);
  for (const generation of generations) if (!kept.includes(generation)) await removeGeneration(paths, generation);
  const needed = new Set(neededLayers(kept).map(String));
  for (const name of await layersIn(paths)) if (!needed.has(name)) await clearFolder(host, join(paths.runtimes, name));
}

/**
 * The generations that stay, the oldest first: the last one always.
 * @param count how many are kept at most
 */
export function keptOf(generations: readonly Generation[], count: number): readonly Generation[] {
  const restored = new Set(generations.map((generation) => generation.restored));
  return generations.filter(({ number }) => !restored.has(number)).slice(-Math.max(1, count));
}

/** The writable layers that these generations may still want: a volatile one begins anew each time that it starts. */
function neededLayers(generations: readonly Generation[]): readonly number[] {
  return generations.filter(({ state }, index) => state === "keep" || index === generations.length - 1).map(({ layer }) => layer);
}

async function layersIn({ runtimes }: MachinePaths): Promise<readonly string[]> {
  return readdir(runtimes).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
}
