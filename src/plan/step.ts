import type { Place } from "../base/place.js";
import { oneLine, shellQuote } from "../base/shell-quote.js";
import type { Bootstrap } from "../dsl/arguments.js";
import type { SettingName } from "../settings/catalog.js";
import type { SettingEntry } from "../settings/value.js";
import type { ImageRef } from "./image-ref.js";
import type { ProbeSpec } from "./probe.js";

/** A step of a script after its arguments were checked. `source` is an absolute path on the host. */
export type Step = { readonly at: Place } & (
  | { readonly kind: "image"; readonly image: ImageRef; readonly grant: readonly SettingName[] }
  | { readonly kind: "pull"; readonly image: ImageRef; readonly digest: string | undefined }
  | { readonly kind: "bootstrap"; readonly bootstrap: Bootstrap }
  | { readonly kind: "exec"; readonly argv: readonly string[] }
  | {
      readonly kind: "with";
      readonly entries: readonly SettingEntry[];
      readonly removed: readonly SettingName[];
      /** The line of each setting. */
      readonly places: ReadonlyMap<SettingName, Place>;
    }
  | { readonly kind: "copy"; readonly source: string; readonly target: string }
  | { readonly kind: "cast"; readonly source: string; readonly target: string; readonly variables: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "fetch";
      readonly archive: ImageRef;
      readonly source: string;
      readonly target: string;
      readonly digest: string | undefined;
    }
  | ({ readonly kind: "run"; readonly argv: readonly string[] } & Caching)
  | ({ readonly kind: "sh"; readonly script: string } & Caching)
  | { readonly kind: "push" }
  | { readonly kind: "machine"; readonly machine: MachineSpec }
);

/** `cache`: false for a command that runs in each build, whatever is in the cache; always undefined in a setup script. */
type Caching = { readonly cache?: boolean | undefined };

export type StepOf<K extends Step["kind"]> = Extract<Step, { readonly kind: K }>;

/** The steps that do work in an image, in the order written. */
export type WorkStep = StepOf<"copy" | "cast" | "fetch" | "run" | "sh">;

/** The steps that do work on the host. */
export type HostStep = Exclude<WorkStep, { readonly kind: "fetch" }>;

/** A machine as the script asks for it. */
export type MachineSpec = {
  readonly name: string;
  /** Absolute path of the script's own unit template. */
  readonly template: string | undefined;
  readonly unitConf: readonly string[];
  readonly serviceConf: readonly string[];
  readonly installConf: readonly string[];
  readonly state: "volatile" | "keep";
  /** How it is seen that the machine works; undefined: that it runs is enough. */
  readonly probe?: ProbeSpec | undefined;
};

/** A work step in a few words, on one line, for people. */
export function describeStep(step: WorkStep, folder: string): string {
  switch (step.kind) {
    case "copy":
    case "cast":
      return `${step.kind.toUpperCase()} ${relativeTo(folder, step.source)} → ${step.target}`;
    case "fetch":
      return `FETCH ${step.archive.written} ${step.source} → ${step.target}`;
    case "run":
      return `RUN ${shorten(oneLine(shellQuote(step.argv)))}`;
    case "sh":
      return `SH ${shorten(step.script.trim())}`;
  }
}

function relativeTo(folder: string, path: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length) : path;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
