import type { Problem } from "../base/errors.js";
import { contradictions } from "../settings/contradiction.js";
import { mergeSettings, type SettingSource } from "../settings/merge.js";
import { settingPlaces } from "./select.js";
import type { Step, StepOf } from "./step.js";

/** What a script's own settings and its command contradict, whatever its images set. */
export function settingProblems(steps: readonly Step[], own: SettingSource, exec: StepOf<"exec"> | undefined): readonly Problem[] {
  const settings = mergeSettings([own]);
  const places = settingPlaces(steps);
  const found: Problem[] = contradictions(settings, false).flatMap(({ settings: clash, message, hint }): readonly Problem[] => {
    const name = clash.at(-1)?.name;
    const at = name && places.get(name);
    return at ? [{ at, message: `WITH: ${message}`, hint, near: name }] : [];
  });
  if (!exec) return found;
  if (settings.some(({ name, value }) => name === "Boot" && value === "yes")) {
    found.push({
      at: exec.at,
      message: "EXEC: a machine that boots runs init, not a command",
      hint: "leave out EXEC, or Boot; arguments of init go into Parameters",
    });
  } else if (settings.some(({ name }) => name === "Parameters")) {
    found.push({
      at: exec.at,
      message: "EXEC: the Parameters of WITH say what runs, too",
      hint: "leave out one of them; Parameters are the arguments of init where Boot is set",
    });
  }
  return found;
}
