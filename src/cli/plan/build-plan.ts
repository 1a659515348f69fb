import { oneLine, shellQuote } from "../../base/shell-quote.js";
import type { BuildPreview } from "../../engine/preview/build.js";
import { describeStep } from "../../plan/step.js";
import { here, placeHere } from "../here.js";
import { printable } from "../printable.js";
import type { Paint } from "../style.js";
import { imageFields, imageItems } from "./images.js";
import { type Item, type ShownPlan, section } from "./plan.js";
import { originHere, settingItems } from "./settings.js";

/** What `nspawn-build --plan` shows. */
export function shownBuildPlan(preview: BuildPreview): ShownPlan {
  return { lines: (paint) => lines(preview, paint), fields: fields(preview), refusal: undefined };
}

function lines(preview: BuildPreview, paint: Paint): readonly string[] {
  const { plan, images, environment } = preview;
  const { command, settings, image } = plan;
  return [
    `${paint("bold", "build")} ${printable(image.written)}  ${paint("dim", printable(here(plan.script)))}`,
    ...section(paint, "layers below it, the top one first", [...bootstrapItems(preview), ...imageItems(images)]),
    ...section(
      paint,
      "steps",
      plan.work.map((step, index) => [`${index + 1}  ${describeStep(step, plan.folder)}`, placeHere(step.at)]),
    ),
    ...section(
      paint,
      "environment of RUN and SH",
      environment.map(({ name, value, origin }) => [
        name === "Environment" ? oneLine(value) : `${name}=${oneLine(value)}`,
        originHere(plan, origin, name),
      ]),
    ),
    ...section(
      paint,
      "settings of the image",
      settingItems(settings, (name) => originHere(plan, settings.origin, name)),
    ),
    ...section(paint, "command of the image", command ? [[oneLine(shellQuote(command))]] : []),
    ...section(paint, "push", [plan.push ? [image.written] : ["nothing: there is no PUSH, so the image is not published"]]),
  ];
}

function bootstrapItems({ plan, bootstrapCached }: BuildPreview): readonly Item[] {
  if (!plan.bootstrap) return [];
  const { distribution, release, packages = [] } = plan.bootstrap.spec;
  const more = packages.length > 0 ? ` with ${packages.join(" ")}` : "";
  return [[`BOOTSTRAP ${distribution} ${release}${more}`, bootstrapCached ? "cached" : "will be made"]];
}

function fields({ plan, images, bootstrapCached, environment }: BuildPreview): ShownPlan["fields"] {
  return {
    script: plan.script,
    image: plan.image.written,
    bootstrap: plan.bootstrap && { ...plan.bootstrap.spec, cached: bootstrapCached },
    images: imageFields(images),
    steps: plan.work.map((step) => ({ ...step.at, kind: step.kind, step: describeStep(step, plan.folder) })),
    environment,
    settings: plan.settings.entries.map(({ name, value }) => ({ name, value, origin: plan.settings.origin })),
    removed: plan.settings.removed,
    command: plan.command,
    push: plan.push,
  };
}
