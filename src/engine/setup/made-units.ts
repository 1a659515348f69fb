import { createHash } from "node:crypto";
import { withLayer } from "../../machine/paths.js";
import { type Machine, unitKey } from "../../machine/unit.js";
import type { Renderings } from "../../plan/renderings.js";

/** What units were made of: one that would be made of the same need not be rendered, for which minijinja takes 100 ms to get ready. */
export class MadeUnits {
  readonly #notes: Renderings;

  /** @param notes key of a unit's text → digest of what it was made of */
  constructor(notes: Renderings) {
    this.#notes = notes;
  }

  /** Whether it is known what a unit was made of: then the script makes the same one, most of the time. */
  knows(text: string): boolean {
    return this.#notes.find(keyOf(text)) !== undefined;
  }

  /** Whether a unit is the one that a machine would get, with a writable layer of this number. */
  isOf(text: string, machine: Machine, layer: number): boolean {
    const made = this.#notes.find(keyOf(text));
    return made !== undefined && made === unitKey({ ...machine, paths: withLayer(machine.paths, layer) });
  }

  /** @param machine with the paths of its writable layer */
  note(text: string, machine: Machine): void {
    this.#notes.note(keyOf(text), unitKey(machine));
  }
}

function keyOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
