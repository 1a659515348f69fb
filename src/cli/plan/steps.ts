import { describeStep, type WorkStep } from "../../plan/step.js";
import { placeHere } from "../here.js";
import type { Item } from "./plan.js";

/** Work steps for people, numbered from 1, with their lines. */
export function stepItems(work: readonly WorkStep[], folder: string): readonly Item[] {
  const width = String(work.length).length;
  return work.map((step, index) => [`${String(index + 1).padStart(width)}  ${describeStep(step, folder)}`, placeHere(step.at)]);
}

/** Work steps for programs. */
export function stepFields(work: readonly WorkStep[], folder: string): readonly Readonly<Record<string, unknown>>[] {
  return work.map((step) => ({ ...step.at, kind: step.kind, step: describeStep(step, folder) }));
}
