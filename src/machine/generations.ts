import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../base/errors.js";
import { isRecord } from "../base/is-record.js";
import { settleAll } from "../base/settle.js";
import { readIfThere, removeFile, writeWhole } from "../host/files.js";
import type { ProbeSpec } from "../plan/probe.js";
import type { MachinePaths } from "./paths.js";

/**
 * A version of a machine, as it was installed. The one with the highest number is that of now; those before it are what the machine can go
 * back to. In the folder of the machine's generations, for all to read:
 * ```
 * <number>/unit              the text of the unit
 * <number>/generation.json   the rest: { "number": 4, "time": "2026-11-24T03:50:03.000Z", "image": "https://…", … }
 * <number>/trial.json        it has been put in its place, and it is not yet known whether it works: { "from": 3, … }
 * ```
 */
export type Generation = {
  readonly number: number;
  /** When it was installed, as in ISO 8601. */
  readonly time: string;
  /** URL of the machine's image, as the script has it, and the digest of its archive. */
  readonly image: string;
  readonly digest: string;
  readonly state: "volatile" | "keep";
  readonly probe?: ProbeSpec | undefined;
  /** Ids of the layers of its root, the top one first. */
  readonly layers: readonly string[];
  /** Number of its writable layer: that of the generation which began with it. A rollback brings one back. */
  readonly layer: number;
  /** The number that it had, if a rollback brought it back. */
  readonly restored?: number | undefined;
  /** The text of the unit. */
  readonly unit: string;
  readonly trial?: Trial | undefined;
};

/** What was there before a generation that is on trial. */
type Trial = {
  /** Number of the generation before; undefined if there was no machine. */
  readonly from?: number | undefined;
  /** Whether that ran, and which run of it that was: the InvocationID of its unit. */
  readonly ran: boolean;
  readonly invocation: string;
};

/** The generations of a machine, the oldest first. What this user may not read, or is damaged, counts as not there. */
export async function listGenerations({ generations }: Pick<MachinePaths, "generations">): Promise<readonly Generation[]> {
  const names = await readdir(generations).catch((error: unknown) => {
    if (hasCode(error, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw error;
  });
  const numbers = names.filter((name) => /^[1-9]\d{0,8}$/.test(name)).map(Number);
  const found = await Promise.all(numbers.sort((a, b) => a - b).map((number) => readGeneration(join(generations, String(number)), number)));
  return found.flatMap((generation) => generation ?? []);
}

/** The generation that a machine has now, if it is not on trial. */
export function currentOf(generations: readonly Generation[]): Generation | undefined {
  return generations.findLast(({ trial }) => !trial);
}

/**
 * The generation that ran before another one. One that was restored goes on back from where it was, so that each further rollback leads
 * to an older one.
 */
export function generationBefore(generations: readonly Generation[], { number, restored }: Generation): Generation | undefined {
  return generations.findLast((other) => other.number < (restored ?? number));
}

/** A number that no generation has, and no writable layer of one. */
export function nextNumber(generations: readonly Generation[]): number {
  return Math.max(0, ...generations.flatMap(({ number, layer }) => [number, layer])) + 1;
}

/** Adds a generation, whole or not at all. */
export async function addGeneration({ generations }: Pick<MachinePaths, "generations">, generation: Generation): Promise<void> {
  // What a kill has left of another one. The machine's lock is held.
  const unfinished = join(generations, ".new");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    const { trial } = generation;
    await settleAll([writeGeneration(unfinished, generation), trial ? writeWhole(join(unfinished, "trial.json"), json(trial)) : undefined]);
    const folder = join(generations, String(generation.number));
    // A damaged one, which counts as not there.
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Writes a generation anew that is there: what is told of it, not what it does. */
export async function amendGeneration({ generations }: Pick<MachinePaths, "generations">, generation: Generation): Promise<void> {
  await writeGeneration(join(generations, String(generation.number)), generation);
}

/** From now on the generation is the machine's. */
export async function endTrial({ generations }: Pick<MachinePaths, "generations">, { number }: Generation): Promise<void> {
  await removeFile(join(generations, String(number), "trial.json"));
}

/** Removes a generation, whole or not at all. */
export async function removeGeneration({ generations }: Pick<MachinePaths, "generations">, { number }: Generation): Promise<void> {
  const old = join(generations, ".old");
  await rm(old, { recursive: true, force: true });
  await rename(join(generations, String(number)), old);
  await rm(old, { recursive: true, force: true });
}

async function writeGeneration(folder: string, { unit, trial: _, ...told }: Generation): Promise<void> {
  await settleAll([writeWhole(join(folder, "unit"), unit), writeWhole(join(folder, "generation.json"), json(told))]);
}

async function readGeneration(folder: string, number: number): Promise<Generation | undefined> {
  const [unit, told, trial] = await Promise.all(
    ["unit", "generation.json", "trial.json"].map((name) => readUnlessClosed(join(folder, name))),
  );
  const fields = told === undefined ? undefined : parsed(told);
  const tried = trial === undefined ? undefined : parsed(trial);
  if (unit === undefined || !isTold(fields)) return undefined;
  // Without its note, one on trial would be taken for one that works.
  if (trial !== undefined && !isTrial(tried)) return undefined;
  return { ...fields, number, unit, trial: isTrial(tried) ? tried : undefined };
}

/** Whether this is what {@link writeGeneration} has told of a generation, as far as all depends on it. */
function isTold(fields: Readonly<Record<string, unknown>> | undefined): fields is Omit<Generation, "unit" | "trial"> {
  if (!fields) return false;
  const { time, image, digest, state, layers, layer } = fields;
  const isText = [time, image, digest].every((value) => typeof value === "string");
  const hasLayers = Array.isArray(layers) && layers.every((id) => typeof id === "string") && Number.isSafeInteger(layer);
  return isText && hasLayers && (state === "volatile" || state === "keep");
}

function isTrial(fields: Readonly<Record<string, unknown>> | undefined): fields is Trial {
  return typeof fields?.ran === "boolean" && typeof fields.invocation === "string";
}

async function readUnlessClosed(path: string): Promise<string | undefined> {
  try {
    return await readIfThere(path);
  } catch (error) {
    if (hasCode(error, "EACCES", "EISDIR")) return undefined;
    throw error;
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
