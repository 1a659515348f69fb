import { sha256 } from "../../base/sha256.js";
import type { StepInputs } from "../../image/store/build-notes.js";
import type { StepLayer } from "../../image/store/step-layers.js";

/** Layers of a build from the top down, all of them root folders. */
export type BuildLayers = {
  /** What this build made itself, its last step first: this becomes the image. */
  readonly own: readonly string[];
  /** What systemd-nspawn needs in the root to start, which is no part of the image. */
  readonly prime: readonly string[];
  /** The image's ancestors. */
  readonly below: readonly string[];
};

/**
 * What a build has made so far. `identity` stands for all of its layers: equal ones are the same layers, and a layer that was made again
 * has another one, whatever is in it. `bottom`: how many of its own layers lie below the steps, since there is a BOOTSTRAP.
 */
export type Stack = { readonly layers: BuildLayers; readonly bottom: number; readonly identity: string };

/** A change of how steps are done, or of what keys are made from, makes what is cached stale. */
const recipe = 1;

/** What the first step stands on. @param digests of the layers below, the top one first */
export function baseIdentity(digests: readonly string[]): string {
  return hashOf(["base", recipe, digests]);
}

/** The key of a step: the layers below, the step, and all that it is made from. */
export function stepKey(identity: string, { kind, parts }: Pick<StepInputs, "kind" | "parts">): string {
  // In the order of their names, which a change of the order in a script does not change.
  const sorted = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return hashOf(["step", identity, kind, sorted]);
}

/** What an image is made from: its layers, its metadata, and how the archive is written. */
export function imageKey(identity: string, metadata: string, format: readonly unknown[]): string {
  return hashOf(["image", recipe, identity, metadata, format]);
}

/** The stack with the layer of a step on top. A step that changed nothing leaves it as it is: what follows need not be done again for it. */
export function withStep(stack: Stack, { id, folder }: StepLayer): Stack {
  if (folder === undefined) return stack;
  return { ...stack, layers: { ...stack.layers, own: [folder, ...stack.layers.own] }, identity: id };
}

/** What a step sees, from the top down: the steps before it, prime, then a bootstrapped root or the ancestors. */
export function lowersOf({ layers: { own, prime, below }, bottom }: Stack): readonly string[] {
  const steps = own.length - bottom;
  return [...own.slice(0, steps), ...prime, ...own.slice(steps), ...below];
}

function hashOf(value: unknown): string {
  return sha256(JSON.stringify(value));
}
