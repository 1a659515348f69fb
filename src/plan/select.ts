import type { Problem } from "../base/errors.js";
import { showPlace } from "../base/place.js";
import type { Script } from "../script/load.js";
import type { SettingSource } from "../settings/merge.js";
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
  for (const other of others)
    problems.push({ at: other.at, message: `${keyword} was already declared at ${showPlace(first?.at ?? other.at)}` });
  // A call that was wrong in itself has its own problem; only a script without any is missing one.
  const called = script.calls.some((call) => call.keyword === keyword);
  if (options.required && !called)
    problems.push({ at: { file: script.path, line: 1 }, message: `there is no ${keyword}`, hint: options.required });
  return first;
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

/** The settings that a script's WITH give, together, under the name of their origin. */
export function ownSettings(steps: readonly Step[], origin: string): SettingSource {
  const withs = steps.filter((step): step is StepOf<"with"> => step.kind === "with");
  return { origin, removed: [...new Set(withs.flatMap(({ removed }) => removed))], entries: withs.flatMap(({ entries }) => entries) };
}

/** Problems in the order of the script's lines. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.at.file === b.at.file ? a.at.line - b.at.line : 0));
}

/** Whether a script's own settings make the machine boot. */
export function isBoot(steps: readonly Step[]): boolean {
  return ownSettings(steps, "").entries.findLast(({ name }) => name === "Boot")?.value === "yes";
}
