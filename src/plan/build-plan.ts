import type { DigestMemory } from "../base/digest-memory.js";
import { type Problem, ScriptError } from "../base/errors.js";
import type { Place } from "../base/place.js";
import type { Bootstrap } from "../dsl/arguments.js";
import type { Script } from "../script/load.js";
import type { SettingName } from "../settings/catalog.js";
import type { SettingSource } from "../settings/merge.js";
import { checkCasts } from "./cast.js";
import { compressionOf, type ImageRef } from "./image-ref.js";
import { parseCalls } from "./parse.js";
import { inOrder, only, ownSettings, settingPlaces, workOf } from "./select.js";
import { settingProblems } from "./setting-problems.js";
import { checkSources } from "./source.js";
import type { Step, StepOf, WorkStep } from "./step.js";

/** What a build script wants, all checked: pure data that can be printed. */
export type BuildPlan = {
  readonly script: string;
  readonly folder: string;
  readonly image: ImageRef;
  readonly parents: readonly StepOf<"pull">[];
  readonly bootstrap: { readonly spec: Bootstrap; readonly step: StepOf<"bootstrap"> } | undefined;
  readonly settings: SettingSource;
  /** The lines of the settings. */
  readonly places: ReadonlyMap<SettingName, Place>;
  readonly command: readonly string[] | undefined;
  readonly work: readonly WorkStep[];
  readonly push: boolean;
};

/**
 * Makes the plan of a build script.
 * @param options.casts `later`: if nothing else is wrong, CASTs are left to {@link checkPlannedCasts}, which takes 60 ms where they are not known
 * @throws ScriptError with all problems
 */
export function planBuild(script: Script, { casts = "now" }: { readonly casts?: "now" | "later" } = {}): BuildPlan {
  const { steps, problems } = parseCalls(script);
  const found: Problem[] = [...problems];
  const image = only(script, steps, "image", found, { required: "IMAGE(url) says where the image is published" });
  const exec = only(script, steps, "exec", found);
  const push = only(script, steps, "push", found);
  const bootstrap = only(script, steps, "bootstrap", found);
  const parents = steps.filter((step): step is StepOf<"pull"> => step.kind === "pull");
  const work = workOf(steps);
  const settings = ownSettings(steps, image?.image.written ?? script.path);
  found.push(...checkSources(work, script.folder));
  found.push(...checkBase(parents, bootstrap, image), ...settingProblems(settings, exec));
  if (image && push && !compressionOf(image.image)) {
    found.push({
      at: image.at,
      message: `IMAGE: ${image.image.written} names no archive that can be written`,
      hint: "end the URL in .tar.gz, .tar.xz or .tar.zst",
    });
  }
  if (casts === "now" || found.length > 0) found.push(...checkCasts(work, script.folder));
  if (found.length > 0 || !image) throw new ScriptError(inOrder(found));
  return {
    script: script.path,
    folder: script.folder,
    image: image.image,
    parents,
    bootstrap: bootstrap && { spec: bootstrap.bootstrap, step: bootstrap },
    settings,
    places: settingPlaces(steps),
    command: exec?.argv,
    work,
    push: push !== undefined,
  };
}

/**
 * @param renderings what is known to be right already
 * @throws ScriptError with all that is wrong with the plan's CASTs
 */
export function checkPlannedCasts({ work, folder }: BuildPlan, renderings: DigestMemory): void {
  const problems = checkCasts(work, folder, renderings);
  if (problems.length > 0) throw new ScriptError(inOrder(problems));
}

function checkBase(
  parents: readonly StepOf<"pull">[],
  bootstrap: Step | undefined,
  image: StepOf<"image"> | undefined,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (bootstrap && parents.length > 0) {
    problems.push({
      at: bootstrap.at,
      message: "BOOTSTRAP makes a bottom layer, so nothing can be pulled below it",
      hint: "make it an image of its own, and PULL that",
    });
  }
  const seen = new Set<string>();
  for (const { at, image: parent } of parents) {
    if (seen.has(parent.url)) problems.push({ at, message: `PULL: ${parent.written} is pulled twice` });
    if (image && parent.url === image.image.url) problems.push({ at, message: "PULL: the image cannot be its own parent" });
    seen.add(parent.url);
  }
  return problems;
}
