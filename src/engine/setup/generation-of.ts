import { isDeepStrictEqual } from "node:util";
import { addGeneration, amendGeneration, currentOf, type Generation, listGenerations, nextNumber } from "../../machine/generations.js";
import type { MachinePaths } from "../../machine/paths.js";
import { type Machine, sameUnit } from "../../machine/unit.js";
import { readNotes } from "../../machine/unit-notes.js";
import type { SetupPlan } from "../../plan/setup-plan.js";

/** A new generation of a machine, made from a script and its images. */
export function generationOf(
  plan: SetupPlan,
  machine: Machine,
  { number, layer, unit }: Pick<Generation, "number" | "layer" | "unit">,
): Generation {
  return {
    number,
    time: new Date().toISOString(),
    image: plan.image.written,
    digest: machine.chain[0]?.layer.digest ?? "",
    state: plan.machine.state,
    probe: plan.machine.probe,
    layers: machine.chain.map(({ layer: { id } }) => id),
    layer,
    unit,
  };
}

/** The generation of the unit that is installed. One that has none, such as a unit that was edited, becomes one. */
export async function installedGeneration(paths: MachinePaths, unit: string): Promise<Generation> {
  const generations = await listGenerations(paths);
  const current = currentOf(generations);
  if (current?.unit === unit) return current;
  const { layers, state } = readNotes(unit);
  const adopted: Generation = {
    number: nextNumber(generations),
    time: new Date().toISOString(),
    image: layers[0]?.url ?? "",
    digest: layers[0]?.digest ?? "",
    state,
    probe: current?.probe,
    layers: layers.map(({ id }) => id),
    layer: layerOf(paths, unit),
    unit,
  };
  await addGeneration(paths, adopted);
  return adopted;
}

/**
 * Notes that the installed unit is now that of a generation which does the same, such as one with other comments, or another probe.
 * @param same that generation, without a number
 */
export async function noteUnit(paths: MachinePaths, same: Omit<Generation, "number">): Promise<void> {
  const generations = await listGenerations(paths);
  const current = currentOf(generations);
  if (!current || !sameUnit(current.unit, same.unit)) return addGeneration(paths, { ...same, number: nextNumber(generations) });
  if (current.unit === same.unit && isDeepStrictEqual(current.probe, same.probe)) return;
  await amendGeneration(paths, { ...current, unit: same.unit, probe: same.probe });
}

/** The number of the writable layer that a unit names. */
export function layerOf({ runtimes }: Pick<MachinePaths, "runtimes">, unit: string): number {
  const at = unit.indexOf(`${runtimes}/`);
  return (at < 0 ? undefined : Number.parseInt(unit.slice(at + runtimes.length + 1), 10)) || 1;
}
