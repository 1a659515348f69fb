import { messageOf } from "../../base/errors.js";
import type { Report } from "../../base/events.js";
import type { StepLayer, StepSurvey } from "../../image/store/step-layers.js";
import type { ImageStore } from "../../image/store.js";

/** How a build uses the step cache. */
export class Caching {
  /** Whether steps are taken from the cache. */
  readonly looks: boolean;
  /** Whether what steps have made is put there. */
  readonly keeps: boolean;
  readonly #store: ImageStore;
  readonly #report: Report;
  #keeping: Promise<void> = Promise.resolve();
  #kept = 0;
  #survey: Promise<StepSurvey | undefined> | undefined;

  constructor(store: ImageStore, report: Report, uses: { readonly looks: boolean; readonly keeps: boolean }) {
    this.#store = store;
    this.#report = report;
    this.looks = uses.looks;
    this.keeps = uses.keeps;
  }

  /**
   * Puts a layer into the cache, while the next step is at work. Should that fail, as on a full disk, there is a warning: the build needs
   * nothing of it.
   */
  keep(key: string, layer: StepLayer): void {
    this.#kept++;
    this.#survey = undefined;
    this.#keeping = this.#keeping
      .then(() => this.#store.steps.keep(key, layer))
      .catch((error: unknown) => this.#report({ kind: "warning", text: `a step is not cached: ${messageOf(error)}` }));
  }

  /** Waits until all is in the cache. */
  async settled(): Promise<void> {
    await this.#keeping;
  }

  /** What is in the cache when all is there; undefined if it needs no tidying. Looked at once, unless something is put there afterwards. */
  survey(): Promise<StepSurvey | undefined> {
    this.#survey ??= this.#look();
    return this.#survey;
  }

  async #look(): Promise<StepSurvey | undefined> {
    await this.#keeping;
    const { steps } = this.#store;
    return this.#kept > 0 || (await steps.surplus()) > 0 ? steps.survey() : undefined;
  }
}
