import { shortDigest } from "../../base/digest.js";
import type { BuildNote, BuiltStep, StepInputs } from "../../image/store/build-notes.js";
import type { SourceEntry } from "../../layer/source-tree.js";
import { entryOf } from "./step-inputs.js";

/** A step that is to be done, as part of a build: what it is made from, its key, and what was done before it. */
export type Rebuilt = {
  readonly inputs: StepInputs;
  readonly key: string;
  readonly index: number;
  /** Of all steps of this build. */
  readonly steps: readonly StepInputs[];
  readonly base: BuildNote["base"];
  /** The line of the first step of this build that was done again, if one was. */
  readonly rebuiltBefore: string | undefined;
};

/**
 * Says why a step is done again: which file, which value is another than in the last build of the image.
 * @param last undefined if there was none on this host
 */
export function whyRebuilt(last: BuildNote | undefined, rebuilt: Rebuilt): string {
  const { inputs, key, base, rebuiltBefore } = rebuilt;
  if (!last) return "no build of this image is known here";
  const same = last.steps.find((step) => step.kind === inputs.kind && sameParts(step.parts, inputs.parts));
  if (same) {
    if (same.key === key) return "its layer is no longer in the cache";
    if (rebuiltBefore !== undefined) return `the step before it, at ${rebuiltBefore}, was done again`;
    return baseChange(last.base, base) ?? "the steps before it are others";
  }
  const before = counterpart(last.steps, rebuilt);
  if (!before) return "the step is new";
  const changes = differences(before.causes, inputs.causes, "");
  const named = changes.length > 0 ? changes : differences(before.parts, inputs.parts, inputs.kind);
  return listed(named);
}

/** The step of the last build that this one has taken the place of: it reads the same, or stands at the same place and is of its kind. */
function counterpart(steps: readonly BuiltStep[], { inputs, index, steps: now }: Rebuilt): BuiltStep | undefined {
  const alike = steps.find(({ text, kind }) => kind === inputs.kind && text === inputs.text);
  if (alike) return alike;
  const there = steps[index];
  // One that this build still has is no other one's counterpart.
  const isStill = there && now.some(({ kind, parts }) => kind === there.kind && sameParts(parts, there.parts));
  return there?.kind === inputs.kind && !isStill ? there : undefined;
}

function baseChange(before: BuildNote["base"], now: BuildNote["base"]): string | undefined {
  for (const [url, digest] of Object.entries(now)) {
    const old = before[url];
    if (old === undefined) return `${url} lies below it now`;
    if (old !== digest) return `${url} is another version: ${shortDigest(digest)}, it was ${shortDigest(old)}`;
  }
  const gone = Object.keys(before).find((url) => now[url] === undefined);
  if (gone !== undefined) return `${gone} does not lie below it any more`;
  return Object.keys(before).join("\n") === Object.keys(now).join("\n") ? undefined : "the images below it lie in another order";
}

function sameParts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function differences(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>, kind: string): readonly string[] {
  const changes: string[] = [];
  for (const [name, value] of Object.entries(now)) {
    const old = before[name];
    if (old === undefined) changes.push(`${shown(name, value)} is new`);
    else if (old !== value) changes.push(change(name, old, value, kind));
  }
  for (const [name, value] of Object.entries(before)) if (now[name] === undefined) changes.push(`${shown(name, value)} is gone`);
  return changes;
}

function shown(name: string, value: string): string {
  return entryOf(name, value)?.path ?? name;
}

function change(name: string, old: string, value: string, kind: string): string {
  const before = entryOf(name, old);
  const now = entryOf(name, value);
  if (!before || !now) return name === "source" || name === "target" ? `${name} is ${value}, it was ${old}` : `${name} is another`;
  return `${now.path}: ${fieldChange(before.entry, now.entry, kind)}`;
}

function fieldChange(old: SourceEntry, now: SourceEntry, kind: string): string {
  if (old.type !== now.type) return `a ${now.type}, it was a ${old.type}`;
  if (old.content !== now.content)
    return now.type === "symlink" ? "another target" : kind === "cast" ? "renders to something else" : "another content";
  if (old.mode !== now.mode) return `mode ${now.mode}, it was ${old.mode}`;
  return old.attributes === now.attributes ? "another time" : "other attributes";
}

const mostListed = 3;

function listed(changes: readonly string[]): string {
  const more = changes.length - mostListed;
  return `${changes.slice(0, mostListed).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
