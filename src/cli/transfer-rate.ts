/** Milliseconds that the rate is taken over. */
const window = 5000;

/** How fast bytes come, over the last seconds; times in milliseconds of performance.now(). */
export class TransferRate {
  #samples: readonly { readonly at: number; readonly bytes: number }[];

  constructor(started: number) {
    this.#samples = [{ at: started, bytes: 0 }];
  }

  /** @param bytes all that have come so far */
  add(bytes: number, at: number): void {
    // One sample from before the window stays, to measure from.
    const first = this.#samples.findLastIndex((sample) => sample.at <= at - window);
    this.#samples = [...this.#samples.slice(Math.max(0, first)), { at, bytes }];
  }

  /** Falls while nothing comes. */
  perSecond(now: number): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || now <= first.at) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (now - first.at));
  }
}
