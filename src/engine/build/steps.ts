import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { secondsSince } from "../../base/events.js";
import { type Place, showPlace } from "../../base/place.js";
import { needingRoom } from "../../host/disk-room.js";
import type { BuildNote, BuiltStep, StepInputs } from "../../image/store/build-notes.js";
import type { StepLayer } from "../../image/store/step-layers.js";
import { hasAttributes } from "../../layer/attributes.js";
import { clearIdleMarks } from "../../layer/idle-marks.js";
import { makeUpper } from "../../layer/overlay.js";
import { describeStep, type WorkStep } from "../../plan/step.js";
import { stepFailed } from "../step-failed.js";
import type { Build } from "./build.js";
import { Fetches } from "./fetches.js";
import { keepFailedRoot } from "./keep-failed.js";
import { sourceDateEpoch } from "./publish.js";
import type { RunEnvironment } from "./run-step.js";
import { lowersOf, type Stack, stepKey, withStep } from "./stack.js";
import type { Start } from "./start.js";
import { type InputContext, stepInputs } from "./step-inputs.js";
import { whyRebuilt } from "./why-rebuilt.js";
import { workInImage } from "./work.js";

/** A step that is done. `cached`: its layer came from the cache, and was not looked at yet. */
type Done = { readonly step: BuiltStep; readonly at: Place; readonly layer: StepLayer; readonly stack: Stack; readonly cached: boolean };

/** The work steps of a build: each is taken from the cache, or does its work in an upper layer of its own above the ones before. */
export class Steps {
  readonly #build: Build;
  readonly #environment: RunEnvironment;
  readonly #start: Start;
  readonly #last: BuildNote | undefined;
  readonly #whileWorking: () => void;
  readonly #fetches: Fetches;
  readonly #context: InputContext;
  readonly #inputs: readonly Promise<StepInputs>[];
  readonly #done: Done[] = [];
  /** Ids of layers from the cache that were looked at. */
  readonly #whole = new Set<string>();
  #folders = 0;

  /** @param options `last`: what the last build of the image was made from; `whileWorking` is called when a step has begun that is not in the cache */
  constructor(
    build: Build,
    start: Start,
    environment: RunEnvironment,
    { last, whileWorking }: { readonly last: BuildNote | undefined; readonly whileWorking: () => void },
  ) {
    const { config, plan, renderings, scratch } = build;
    this.#build = build;
    this.#start = start;
    this.#environment = environment;
    this.#last = last;
    this.#whileWorking = whileWorking;
    this.#fetches = new Fetches(build, join(scratch, "fetches"));
    this.#context = {
      config,
      folder: plan.folder,
      settings: environment.settings,
      renderings,
      looks: new WeakMap(),
      youngest: sourceDateEpoch(),
      fetchDigest: (step) => this.#fetches.digest(step),
    };
    // All at once, since none depends on what another one does. What is wrong is told when it is the step's turn.
    this.#inputs = plan.work.map((step) => stepInputs(this.#context, step));
    for (const inputs of this.#inputs) inputs.catch(() => undefined);
  }

  /** Does what is not in the cache. */
  async finish(): Promise<Stack> {
    while (this.#done.length < this.#build.plan.work.length) await this.#next();
    return this.#top;
  }

  /** The same; what came from the cache was looked at, and is whole. */
  async finishWhole(): Promise<Stack> {
    for (;;) {
      const stack = await this.finish();
      if (await this.#areWhole()) return stack;
    }
  }

  /** Gives up what is under way. */
  async end(): Promise<void> {
    await this.#fetches.end();
  }

  /** What the build was made from. */
  get note(): BuildNote {
    return { base: this.#start.base, steps: this.#done.map(({ step }) => step) };
  }

  get #top(): Stack {
    return this.#done.at(-1)?.stack ?? this.#start.stack;
  }

  async #next(): Promise<void> {
    const { plan, report, store, caching } = this.#build;
    const index = this.#done.length;
    const step = plan.work[index];
    if (!step) return;
    const started = performance.now();
    const text = describeStep(step, plan.folder);
    const inputs = await this.#inputsOf(index, step, text);
    const key = stepKey(this.#top.identity, inputs);
    const found = caching.looks && mayBeCached(step) ? await store.steps.find(key) : undefined;
    // Before anything is done above it.
    if (!found && !(await this.#areWhole())) return;
    report({ kind: "step-begin", at: step.at, text });
    if (found) {
      this.#add(index, { step: { ...inputs, key }, at: step.at, layer: found, cached: true });
      report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached: true });
      return;
    }
    const why = await this.#why(step, inputs, key, index);
    report({ kind: "detail", text: `  not cached: ${why}` });
    this.#beginFetches(index);
    const layer = await this.#work(step, text, inputs, key);
    this.#add(index, { step: { ...inputs, key }, at: step.at, layer, cached: false });
    report({ kind: "step-end", at: step.at, text, seconds: secondsSince(started), cached: false, why });
  }

  #add(index: number, done: Omit<Done, "stack">): void {
    this.#done[index] = { ...done, stack: withStep(this.#top, done.layer) };
  }

  async #inputsOf(index: number, step: WorkStep, text: string): Promise<StepInputs> {
    try {
      return await (this.#inputs[index] ?? stepInputs(this.#context, step));
    } catch (error) {
      throw stepFailed(error, step.at, text);
    }
  }

  /** All later steps will be done, too, as far as one can tell. */
  #beginFetches(index: number): void {
    this.#fetches.begin(this.#build.plan.work.slice(index).filter((step) => step.kind === "fetch"));
  }

  async #why(step: WorkStep, inputs: StepInputs, key: string, index: number): Promise<string> {
    const { options, plan, caching } = this.#build;
    if (!options.cache) return "--no-cache";
    if (!caching.looks) return "the configuration says so (build/cache_size, build/preserve_build_dir)";
    if (!mayBeCached(step)) return "cache: false";
    const all = await Promise.all(this.#inputs.map((one) => one.catch(() => undefined)));
    const before = this.#done.find(({ cached, layer }) => !cached && layer.folder !== undefined);
    return whyRebuilt(this.#last, {
      inputs,
      key,
      index,
      steps: all.flatMap((one) => one ?? []),
      base: this.#start.base,
      rebuiltBefore: before && showPlace({ ...before.at, file: before.at.file.replace(`${plan.folder}/`, "") }),
    });
  }

  async #work(step: WorkStep, text: string, inputs: StepInputs, key: string): Promise<StepLayer> {
    const { host, config, report, plan, scratch, options } = this.#build;
    const folder = join(scratch, `step-${++this.#folders}`);
    const lowers = lowersOf(this.#top);
    try {
      return await needingRoom(config.storage.tempdir, async () => {
        const upper = makeUpper(folder, lowers[0]);
        const before = lstatSync(upper.folder, { bigint: true }).ctimeNs;
        try {
          const working = workInImage(
            {
              host,
              config,
              fetches: this.#fetches,
              report,
              folder,
              scriptFolder: plan.folder,
              layers: { lowers, upper },
              environment: this.#environment,
            },
            step,
          );
          // By now a program is at work, or will be soon, and this process has time.
          this.#whileWorking();
          await working;
        } catch (error) {
          if (options.keepFailed) await keepFailedRoot(this.#build, [upper.folder, ...lowers], this.#environment, error);
          throw error;
        }
        if (!hasChanged(upper.folder, before, lowers[0])) return this.#takeIn(step, inputs, key, undefined);
        clearIdleMarks(upper.folder, lowers);
        return this.#takeIn(step, inputs, key, upper.folder);
      });
    } catch (error) {
      throw stepFailed(error, step.at, text);
    }
  }

  async #takeIn(step: WorkStep, inputs: StepInputs, key: string, made: string | undefined): Promise<StepLayer> {
    const { store, caching, report } = this.#build;
    if (!caching.keeps) return { id: `step ${this.#folders} of process ${process.pid} at ${Date.now()}`, folder: made };
    const layer = await store.steps.take(made);
    if (!mayBeCached(step)) return layer;
    // What was read once for the key, and once more for the image, has to be the same.
    const isSame = step.kind === "copy" && this.#context.looks.get(step)?.isSame(step.source);
    const after = isSame ? inputs : await stepInputs(this.#context, step);
    if (stepKey("", after) === stepKey("", inputs)) caching.keep(key, layer);
    else report({ kind: "warning", text: "what the step is made from has changed while it was at work: it is not cached" });
    return layer;
  }

  /** Looks at the layers that came from the cache. From the first one on that is damaged, the steps are to be done again. */
  async #areWhole(): Promise<boolean> {
    const { store, report } = this.#build;
    for (const [index, { step, layer, cached }] of this.#done.entries()) {
      if (!cached || this.#whole.has(layer.id)) continue;
      if (!(await store.steps.isWhole(step.key, layer))) {
        report({ kind: "warning", text: `what the cache has of ${step.text} is damaged: the step is done again` });
        await store.steps.forget(step.key);
        this.#done.length = index;
        return false;
      }
      this.#whole.add(layer.id);
    }
    return true;
  }
}

function mayBeCached(step: WorkStep): boolean {
  return !("cache" in step) || step.cache !== false;
}

/** Whether a step has changed anything: it has left something in its upper layer, or another mode or owner, or attributes, of the root. */
function hasChanged(upper: string, ctimeBefore: bigint, below: string | undefined): boolean {
  if (readdirSync(upper).length > 0) return true;
  const now = lstatSync(upper, { bigint: true });
  if (now.ctimeNs === ctimeBefore) return false;
  if (below === undefined) return true;
  const { mode, uid, gid } = lstatSync(below, { bigint: true });
  return now.mode !== mode || now.uid !== uid || now.gid !== gid || hasAttributes(upper) || hasAttributes(below);
}
