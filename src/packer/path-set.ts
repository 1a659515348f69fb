import { randomInt } from "node:crypto";
import type { ByteName } from "../base/byte-path.js";

/**
 * A set of paths in little memory, whatever their length: of each only a hash of 53 bits is kept. It may say that it has a path which it
 * has not, by a chance of 1 to 10⁹ for a million paths, but never the other way round.
 */
export class PathSet {
  readonly #hashes = new HashSet();
  /** Nobody can prepare paths that collide. */
  readonly #seeds = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;

  add(parts: readonly ByteName[]): void {
    this.#hashes.add(this.#walk(parts, () => false).hash);
  }

  has(parts: readonly ByteName[]): boolean {
    return this.#hashes.size > 0 && this.#hashes.has(this.#walk(parts, () => false).hash);
  }

  /** How many parts the shortest path has that is in the set and that this one lies below; 0 for none. */
  above(parts: readonly ByteName[]): number {
    if (this.#hashes.size === 0) return 0;
    return this.#walk(parts, (hash, depth) => depth < parts.length && this.#hashes.has(hash)).depth;
  }

  /** Hashes one part after the other, until `found` is true of the hash of those before; `depth`: how many they are. */
  #walk(parts: readonly ByteName[], found: (hash: number, depth: number) => boolean): { readonly hash: number; readonly depth: number } {
    let [high, low]: readonly [number, number] = this.#seeds;
    let hash = 0;
    for (const [index, part] of parts.entries()) {
      for (let at = 0; at < part.length; at++) {
        const byte = part.charCodeAt(at);
        high = Math.imul(high ^ byte, 0x01000193);
        low = Math.imul(low ^ byte, 0x85ebca6b);
        low ^= low >>> 13;
      }
      high = Math.imul(high ^ 0x2f, 0x01000193);
      low = Math.imul(low ^ 0x2f, 0xc2b2ae35);
      hash = (high >>> 11) * 2 ** 32 + (low >>> 0);
      if (found(hash, index + 1)) return { hash, depth: index + 1 };
    }
    return { hash, depth: 0 };
  }
}

/**
 * Whole numbers of at most 53 bits that are evenly spread, in 16 to 32 bytes each: a Set takes some 45 for one, and no more than 2²⁴ of
 * them.
 */
class HashSet {
  /** Each number lies at the place that its last bits name, or in the next free one; 0 is free. At most half of them are taken. */
  #slots = new Float64Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(hash: number): boolean {
    return this.#slots[slotOf(this.#slots, hash)] !== 0;
  }

  add(hash: number): void {
    if (this.has(hash)) return;
    if (this.#size >= this.#slots.length / 2) this.#grow();
    this.#slots[slotOf(this.#slots, hash)] = nonZero(hash);
    this.#size++;
  }

  #grow(): void {
    const slots = new Float64Array(this.#slots.length * 2);
    for (const hash of this.#slots) if (hash !== 0) slots[slotOf(slots, hash)] = hash;
    this.#slots = slots;
  }
}

/** Where a number lies, or would. */
function slotOf(slots: Float64Array, hash: number): number {
  const wanted = nonZero(hash);
  const mask = slots.length - 1;
  let at = wanted & mask;
  while (slots[at] !== 0 && slots[at] !== wanted) at = (at + 1) & mask;
  return at;
}

function nonZero(hash: number): number {
  return hash === 0 ? 1 : hash;
}
