import type { NspawnError } from "../../base/errors.js";
import { oneLine, shellQuote } from "../../base/shell-quote.js";
import type { SetupPreview, UnitPreview } from "../../engine/preview/setup.js";
import { actsOnHost } from "../../engine/setup/action.js";
import { refusalError } from "../../machine/settle.js";
import { describeStep } from "../../plan/step.js";
import { here, placeHere } from "../here.js";
import { printable, printableLines } from "../printable.js";
import type { Paint } from "../style.js";
import { imageFields, imageItems } from "./images.js";
import { type Item, type ShownPlan, section } from "./plan.js";
import { originHere } from "./settings.js";
import { unitDiff } from "./unit-diff.js";

/** What `nspawn-setup --plan` shows. */
export function shownSetupPlan(preview: SetupPreview): ShownPlan {
  return { lines: (paint) => lines(preview, paint), fields: fields(preview), refusal: refusalOf(preview) };
}

function lines(preview: SetupPreview, paint: Paint): readonly string[] {
  const { plan, action, images, settled, unit } = preview;
  const { machine } = plan;
  const isKept = machine.state === "keep";
  return [
    `${paint("bold", `${action} machine`)} ${machine.name}  ${paint("dim", printable(here(plan.script)))}`,
    ...section(paint, "now", [[stateWords(preview)]]),
    ...section(paint, "image and layers below it", imageItems(images)),
    ...section(paint, "root", [
      [isKept ? "what the machine writes stays until the next update" : "what the machine writes is gone when it stops"],
    ]),
    ...section(
      paint,
      "settings",
      settled.settings.map(({ name, value, origin }) => [`${name}=${oneLine(value)}`, originHere(plan, origin, name)]),
    ),
    ...section(
      paint,
      "not inherited",
      plan.settings.removed.map((name) => [name, originHere(plan, plan.script, name)]),
    ),
    ...section(paint, "command", commandItems(preview)),
    ...section(paint, "on the host", hostItems(preview)),
    ...unitLines(unit, paint),
  ];
}

function stateWords({ unit, state }: SetupPreview): string {
  if (!state) return "systemd does not run here, so there are no machines";
  if (unit.installed === undefined) return "there is no such machine";
  return `${state.active}, ${state.enabled === "enabled" ? "starts with the host" : "does not start with the host"}`;
}

function commandItems({ plan, settled }: SetupPreview): readonly Item[] {
  const { command } = settled;
  if (!command) return [];
  return [[oneLine(shellQuote(command.argv)), command.origin === plan.script ? here(plan.script) : command.origin]];
}

function hostItems({ plan, action, unit }: SetupPreview): readonly Item[] {
  if (!actsOnHost(action, unit.installed !== undefined)) return [[`nothing: ${action} does no steps of the script`]];
  return plan.work.map((step) => [describeStep(step, plan.folder), placeHere(step.at)]);
}

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
    case "unknown": {
      const [first = "", ...more] = printableLines(unit.trouble);
      return [`${heading}: ${first}`, ...more.map((line) => `  ${line}`)];
    }
  }
}

/** Why the action would stop before it does anything. */
function refusalOf({ settled, unit }: SetupPreview): NspawnError | undefined {
  return refusalError(settled) ?? (unit.change === "unknown" ? unit.error : undefined);
}

function fields({ plan, action, images, settled, unit, state }: SetupPreview): ShownPlan["fields"] {
  return {
    script: plan.script,
    machine: plan.machine.name,
    action,
    state: state && { active: state.active, enabled: state.enabled },
    root: plan.machine.state,
    images: imageFields(images),
    settings: settled.settings,
    removed: plan.settings.removed,
    command: settled.command,
    steps: plan.work.map((step) => ({ ...step.at, kind: step.kind, step: describeStep(step, plan.folder) })),
    unit: { ...unit, error: undefined },
    refusals: settled.refusals.map(({ message, hint }) => ({ message, hint })),
  };
}
