import { setTimeout as sleep } from "node:timers/promises";
import { TransferError } from "../base/errors.js";
import type { Report } from "../base/events.js";
import { TransientError } from "./failure.js";

/** How often something is tried, and the first and the longest pause between two tries, in seconds. */
type Patience = { readonly tries: number; readonly retryPause: number; readonly retryPauseMax: number };

/** Somebody who tries again, says so, and can be interrupted in a pause. */
export type Persistence = { readonly patience: Patience; readonly report: Report; readonly interrupted: AbortSignal };

/** Does something until it succeeds, as long as its failures may pass. Throws the last one. */
export async function retried<T>(persistence: Persistence, work: () => Promise<T>): Promise<T> {
  const retries = new Retries(persistence);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      await retries.pause(error);
    }
  }
}

/** Counts failures, and waits between tries: twice as long after each failure. */
export class Retries {
  readonly #persistence: Persistence;
  readonly #progress: () => string;
  #failures = 0;

  /** @param progress how far it has come, for warnings and the last error */
  constructor(persistence: Persistence, progress: () => string = () => "") {
    this.#persistence = persistence;
    this.#progress = progress;
  }

  /** Waits until it is time for another try after `error`; throws it if there is none, or the reason of an interrupt. */
  async pause(error: unknown): Promise<void> {
    const { patience, report, interrupted } = this.#persistence;
    if (!(error instanceof TransientError)) throw error;
    this.#failures++;
    const progress = this.#progress();
    if (this.#failures >= patience.tries) throw givenUp(error, this.#failures, progress);
    const seconds = pauseAfter(this.#failures, error.retryAfter, patience);
    const next = `next try in ${seconds.toFixed(1)} s (${this.#failures + 1} of ${patience.tries})`;
    report({ kind: "warning", text: `${error.message}; ${next}${progress === "" ? "" : `; ${progress}`}` });
    await sleep(seconds * 1000, undefined, { signal: interrupted }).catch(() => interrupted.throwIfAborted());
  }

  /** What failed has got on since: failures are counted anew. */
  reset(): void {
    this.#failures = 0;
  }
}

/** Seconds. By chance a bit shorter, so that many clients of a server that was down do not come back at the same time. */
function pauseAfter(failures: number, retryAfter: number | undefined, { retryPause, retryPauseMax }: Patience): number {
  if (retryAfter !== undefined) return Math.min(retryAfter / 1000, retryPauseMax);
  return Math.min(retryPause * 2 ** (failures - 1), retryPauseMax) * (0.75 + Math.random() / 4);
}

function givenUp(error: TransientError, tries: number, progress: string): TransferError {
  const known = [tries === 1 ? "" : `tried ${tries} times`, progress].filter((text) => text !== "").join("; ");
  if (known === "") return error;
  const { url, why, status, hint } = error;
  return new TransferError(url, `${why} (${known})`, { ...(status === undefined ? {} : { status }), hint, cause: error });
}
