import type { Problem } from "../base/errors.js";
import type { Place } from "../base/place.js";
import { type Contradiction, contradictions } from "../settings/contradiction.js";
import { mergeSettings, type Setting, type SettingSource } from "../settings/merge.js";
import { tooNew } from "../settings/version.js";
import type { StepOf } from "./step.js";

/**
 * What a script's own settings and its command contradict, whatever its images set.
 * @param systemd the version of the host that they are for, if that is known; what is newer is a problem then
 */
export function settingProblems(own: SettingSource, exec: StepOf<"exec"> | undefined, systemd?: number): readonly Problem[] {
  const settings = mergeSettings([own]);
  return [
    ...contradictions(settings, false).flatMap(contradictionProblem),
    ...(systemd === undefined ? [] : versionProblems(settings, systemd)),
    ...execProblems(settings, exec),
  ];
}

/** A contradiction of the script's own settings, at the line of the last; none if it has no line. */
export function contradictionProblem({ settings, message, hint }: Contradiction): readonly Problem[] {
  const last = settings.at(-1);
  return last?.at ? [settingProblem(last, last.at, message, hint ?? "delete one of them")] : [];
}

/** The script's own settings that are newer than the host's systemd. */
export function versionProblems(settings: readonly Setting[], systemd: number): readonly Problem[] {
  return tooNew(settings, systemd).flatMap(({ setting, message, older }) => {
    const hint = older === undefined ? "delete it" : `write ${JSON.stringify(older)}, or delete it`;
    return setting.at ? [settingProblem(setting, setting.at, message, hint)] : [];
  });
}

function settingProblem({ name }: Setting, at: Place, message: string, hint: string): Problem {
  return { at, message: `WITH: ${message}`, hint, near: name };
}

function execProblems(settings: readonly Setting[], exec: StepOf<"exec"> | undefined): readonly Problem[] {
  if (!exec) return [];
  if (settings.some(({ name, value }) => name === "Boot" && value === "yes")) {
    return [
      {
        at: exec.at,
        message: "EXEC: a machine that boots runs init, not a command",
        hint: "leave out EXEC, or Boot; arguments of init go into Parameters",
      },
    ];
  }
  if (!settings.some(({ name }) => name === "Parameters")) return [];
  return [
    {
      at: exec.at,
      message: "EXEC: the Parameters of WITH say what runs, too",
      hint: "leave out one of them; Parameters are the arguments of init where Boot is set",
    },
  ];
}
