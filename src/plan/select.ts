import { relative } from "node:path";
import type { Problem } from "../base/errors.js";
import { type Place, showPlace } from "../base/place.js";
import type { Script } from "../script/load.js";
import type { SettingName } from "../settings/catalog.js";
import type { SettingSource, SourceEntry } from "../settings/merge.js";
import type { HostStep, Step, StepOf, WorkStep } from "./step.js";

/** The one step of a kind. Adds a problem where there are two, or where a required one is missing. */
export function only<K extends Step["kind"]>(
  script: Script,
  steps: readonly Step[],
  kind: K,
  problems: Problem[],
  options: { readonly required?: string } = {},
): StepOf<K> | undefined {
  const all = steps.filter((step): step is StepOf<K> => step.kind === kind);
  const keyword = kind.toUpperCase();
  const [first, ...others] = all;
  for (const { at } of others)
    problems.push({ at, message: `${keyword} was already declared ${placeBeside(first?.at ?? at, at, script)}`, near: keyword });
  // A call that was wrong in itself has its own problem; only a script without any is missing one.
  const called = script.calls.some((call) => call.keyword === keyword);
  if (options.required && !called)
    problems.push({ at: { file: script.path, line: 1 }, message: `there is no ${keyword}`, hint: options.required });
  return first;
}

/** A place as it is told at another one: the line alone in the same file, else with the file as seen from the script's folder. */
function placeBeside(place: Place, other: Place, { folder }: Script): string {
  if (place.file === other.file) return `on line ${place.line}`;
  const file = relative(folder, place.file);
  return `at ${showPlace({ ...place, file: file.startsWith("..") ? place.file : file })}`;
}

/** The steps that do work in an image, in the order written. */
export function workOf(steps: readonly Step[]): readonly WorkStep[] {
  return steps.filter((step): step is WorkStep => step.kind === "fetch" || isHostStep(step));
}

/** The steps that do work on the host, in the order written. */
export function hostWorkOf(steps: readonly Step[]): readonly HostStep[] {
  return steps.filter(isHostStep);
}

function isHostStep(step: Step): step is HostStep {
  return step.kind === "copy" || step.kind === "cast" || step.kind === "run" || step.kind === "sh";
}

/** The settings that a script's WITH give, in their order, under the name of their origin. `null` takes away what an earlier WITH gave, too. */
export function ownSettings(steps: readonly Step[], origin: string): SettingSource {
  let entries: readonly SourceEntry[] = [];
  const removed = new Set<SettingName>();
  for (const step of withSteps(steps)) {
    entries = [
      ...entries.filter(({ name }) => !step.removed.includes(name)),
      ...step.entries.map((entry) => ({ ...entry, at: step.places.get(entry.name) })),
    ];
    for (const name of step.removed) removed.add(name);
  }
  return { origin, removed: [...removed], entries };
}

/** The places of a script's settings, by their names; of several the last. */
export function settingPlaces(steps: readonly Step[]): ReadonlyMap<SettingName, Place> {
  return new Map(withSteps(steps).flatMap(({ places }) => [...places]));
}

function withSteps(steps: readonly Step[]): readonly StepOf<"with">[] {
  return steps.filter((step): step is StepOf<"with"> => step.kind === "with");
}

/** Problems in the order of the script's lines. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.at.file === b.at.file ? a.at.line - b.at.line : 0));
}
