import { ProblemsError } from "../../base/errors.js";
import { oneLine, shellQuote } from "../../base/shell-quote.js";
import type { BuildPreview } from "../../engine/preview/build.js";
import { here } from "../here.js";
import { printable } from "../printable.js";
import type { Paint } from "../style.js";
import { imageFields, imageItems, missingImages } from "./images.js";
import { type Item, type ShownPlan, section } from "./plan.js";
import { originHere, ownSettingItems, settingFields } from "./settings.js";
import { stepFields, stepItems } from "./steps.js";

/** What `nspawn-build --plan` shows. */
export function shownBuildPlan(preview: BuildPreview): ShownPlan {
  const missing = missingImages(preview.images);
  return {
    lines: (paint) => lines(preview, paint),
    fields: fields(preview),
    refusal: missing.length > 0 ? new ProblemsError(missing) : undefined,
  };
}

function lines(preview: BuildPreview, paint: Paint): readonly string[] {
  const { plan, images, environment } = preview;
  const { command, image } = plan;
  return [
    `${paint("bold", "build")} ${printable(image.written)}  ${paint("dim", printable(here(plan.script)))}`,
    ...section(paint, "layers below it, the top one first", [...bootstrapItems(preview), ...imageItems(images)]),
    ...section(paint, "steps", stepItems(plan.work, plan.folder)),
    ...section(
      paint,
      "environment of RUN and SH",
      environment.map((setting) => {
        const { name, value } = setting;
        return [name === "Environment" ? oneLine(value) : `${name}=${oneLine(value)}`, originHere(setting)];
      }),
    ),
    ...section(paint, "settings of the image", ownSettingItems(plan)),
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
    steps: stepFields(plan.work, plan.folder),
    environment: settingFields(environment),
    settings: settingFields(plan.settings.entries.map((entry) => ({ ...entry, origin: plan.settings.origin }))),
    removed: plan.settings.removed,
    command: plan.command,
    push: plan.push,
  };
}
