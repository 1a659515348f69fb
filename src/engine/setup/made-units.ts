import type { DigestMemory } from "../../base/digest-memory.js";
import { NspawnError } from "../../base/errors.js";
import { sha256 } from "../../base/sha256.js";
import { withLayer } from "../../machine/paths.js";
import { type Machine, unitKey } from "../../machine/unit.js";

/** What units were made of: one that would be made of the same need not be rendered, for which minijinja takes 100 ms to get ready. */
export class MadeUnits {
  readonly #notes: DigestMemory;

  /** @param notes key of a unit's text → digest of what it was made of */
  constructor(notes: DigestMemory) {
    this.#notes = notes;
  }

  /** Whether it is known what a unit was made of: then the script makes the same one, most of the time. */
  knows(text: string): boolean {
    return this.#notes.find(sha256(text)) !== undefined;
  }

  /** Whether a unit is known to be the one that a machine would get, with a writable layer of this number. */
  isOf(text: string, machine: Machine, layer: number): boolean {
    const made = this.#notes.find(sha256(text));
    if (made === undefined) return false;
    try {
      return made === unitKey({ ...machine, paths: withLayer(machine.paths, layer) });
    } catch (error) {
      // What is wrong is told, with its line, when it is rendered.
      if (error instanceof NspawnError) return false;
      throw error;
    }
  }

  /** @param made the digest of what it was made of */
  note(text: string, made: string): void {
    this.#notes.note(sha256(text), made);
  }
}
