import { type NspawnError, ScriptError } from "../../base/errors.js";
import { oneLine, shellQuote } from "../../base/shell-quote.js";
import type { Effect } from "../../engine/preview/effects.js";
import type { MadeOf, SetupPreview, UnitPreview } from "../../engine/preview/setup.js";
import { actsOnHost } from "../../engine/setup/action.js";
import { refusalError } from "../../machine/settle.js";
import { describeProbe } from "../../plan/probe.js";
import { originOf } from "../../settings/merge.js";
import { here } from "../here.js";
import { printable, printableLines } from "../printable.js";
import type { Paint } from "../style.js";
import { imageFields, imageItems, missingImages } from "./images.js";
import { type Item, type ShownPlan, section } from "./plan.js";
import { originHere, removedItems, settingFields } from "./settings.js";
import { stepFields, stepItems } from "./steps.js";
import { unitDiff } from "./unit-diff.js";

/** What `nspawn-setup --plan` shows. */
export function shownSetupPlan(preview: SetupPreview): ShownPlan {
  return { lines: (paint) => lines(preview, paint), fields: fields(preview), refusal: refusalOf(preview) };
}

function lines(preview: SetupPreview, paint: Paint): readonly string[] {
  const { plan, action, unit, made } = preview;
  return [
    `${paint("bold", `${action} machine`)} ${plan.machine.name}  ${paint("dim", printable(here(plan.script)))}`,
    ...section(paint, "now", [[stateWords(preview)]]),
    ...(made ? madeLines(preview, made, paint) : []),
    ...section(paint, "back to", restoredItems(preview)),
    ...section(paint, "probe", probeItems(preview)),
    ...section(paint, "on the host", hostItems(preview)),
    ...section(paint, "the machine", effectItems(preview)),
    ...unitLines(unit, paint),
  ];
}

function madeLines({ plan }: SetupPreview, { images, settled }: MadeOf, paint: Paint): readonly string[] {
  const isKept = plan.machine.state === "keep";
  const { command } = settled;
  return [
    ...section(paint, "image and layers below it", imageItems(images)),
    ...section(paint, "root", [
      [isKept ? "what the machine writes stays until the next update" : "what the machine writes is gone when it stops"],
    ]),
    ...section(
      paint,
      "settings",
      settled.settings.map((setting) => [`${setting.name}=${oneLine(setting.value)}`, originHere(setting)]),
    ),
    ...section(paint, "not inherited", removedItems(plan)),
    ...section(paint, "command", command ? [[oneLine(shellQuote(command.argv)), originHere(command)]] : []),
  ];
}

function restoredItems({ restored }: SetupPreview): readonly Item[] {
  if (!restored) return [];
  return [[`generation ${restored.number} of ${restored.time.slice(0, 16).replace("T", " ")} UTC`, restored.image]];
}

/** The probe of what will run. */
function probeItems({ plan, made, restored }: SetupPreview): readonly Item[] {
  const probe = made ? plan.machine.probe : restored?.probe;
  return probe ? [[describeProbe(probe), `${probe.seconds} s at most`]] : [];
}

function stateWords({ exists, state }: SetupPreview): string {
  if (!state) return "systemd does not run here, so there are no machines";
  if (!exists) return "there is no such machine";
  return `${state.active}, ${state.enabled === "enabled" ? "starts with the host" : "does not start with the host"}`;
}

function hostItems({ plan, action, exists }: SetupPreview): readonly Item[] {
  if (actsOnHost(action, exists)) return stepItems(plan.work, plan.folder);
  return plan.work.length > 0 ? [[`nothing: ${action} does no steps of the script`]] : [];
}

function effectItems({ effects, action, exists, objection }: SetupPreview): readonly Item[] {
  if (objection || action === "command") return [];
  if (!effects) return [["restarts if its unit changes"]];
  const kept: readonly Item[] =
    action === "ensure" && exists ? [["is there, and stays as it is: update brings it to what the script says"]] : [];
  if (effects.length > 0)
    return [...kept, ...effects.map((effect): Item => [effectWords[effect.kind], "path" in effect ? effect.path : undefined])];
  if (kept.length > 0) return [...kept, ["runs already, and starts with the host"]];
  if (action === "create") return [["is not started"]];
  return [["nothing to do"]];
}

const effectWords: { readonly [K in Effect["kind"]]: string } = {
  start: "starts",
  stop: "stops",
  enable: "starts with the host from now on",
  disable: "does not start with the host any more",
  "clear-layer": "its writable layer is cleared",
  "keep-layer": "what it has written is kept for a rollback",
  "begin-clean": "begins with a clean writable layer",
  "restore-layer": "what it had written then is there again",
  "remove-layer": "its writable layer is removed",
  "remove-root": "its mount point is removed",
  "remove-unit": "its unit is removed",
};

function unitLines(unit: UnitPreview, paint: Paint): readonly string[] {
  const heading = paint("bold", `unit ${unit.path}`);
  switch (unit.change) {
    case "new":
      return [`${heading}: new`, ...unitDiff("", unit.planned, paint)];
    case "changed":
      return [`${heading}: changes, and the machine restarts`, ...unitDiff(unit.installed ?? "", unit.planned, paint)];
    case "comments":
      return [`${heading}: only comments change, and nothing restarts`, ...unitDiff(unit.installed ?? "", unit.planned, paint)];
    case "none":
      return [`${heading}: no change`];
    case "removed":
      return [`${heading}: removed`, ...unitDiff(unit.installed ?? "", "", paint)];
    case "kept":
      return unit.installed === undefined ? [] : [`${heading}: stays as it is`];
    case "unknown": {
      // The error itself is told at the end.
      if (unit.error) return [`${heading}: cannot be made`];
      const [first = "", ...more] = printableLines(unit.trouble);
      return [`${heading}: ${first}`, ...more.map((line) => `  ${line}`)];
    }
  }
}

/** Why the action would stop before it does anything. */
function refusalOf({ made, unit, objection }: SetupPreview): NspawnError | undefined {
  const missing = missingImages(made?.images ?? []);
  const { problems = [], refusals = [] } = made?.settled ?? {};
  if (objection) return objection;
  const error = unit.change === "unknown" ? unit.error : undefined;
  const [own, others] = error instanceof ScriptError ? [error.problems, []] : [[], error?.problems ?? []];
  return refusalError({ problems: [...own, ...problems], refusals: [...missing, ...others, ...refusals] });
}

function fields({ plan, action, exists, state, made, restored, effects, unit }: SetupPreview): ShownPlan["fields"] {
  const { error: _, ...unitFields } = { error: undefined, ...unit };
  return {
    script: plan.script,
    machine: plan.machine.name,
    action,
    exists,
    state: state && { active: state.active, enabled: state.enabled },
    ...(made ? madeFields(plan, made) : {}),
    restored: restored && { number: restored.number, time: restored.time, image: restored.image, probe: restored.probe },
    steps: actsOnHost(action, exists) ? stepFields(plan.work, plan.folder) : [],
    effects,
    unit: unitFields,
  };
}

function madeFields(plan: SetupPreview["plan"], { images, settled }: MadeOf): ShownPlan["fields"] {
  const { command, problems, refusals } = settled;
  return {
    root: plan.machine.state,
    probe: plan.machine.probe,
    images: imageFields(images),
    settings: settingFields(settled.settings),
    removed: plan.settings.removed,
    command: command && { argv: command.argv, origin: originOf(command) },
    refusals: [...problems, ...refusals].map(({ at, message, hint }) => ({ ...at, message, hint })),
  };
}
