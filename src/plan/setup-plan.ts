import { type Problem, ScriptError } from "../base/errors.js";
import type { Place } from "../base/place.js";
import type { Script } from "../script/load.js";
import type { SettingName } from "../settings/catalog.js";
import type { SettingSource } from "../settings/merge.js";
import { checkCasts } from "./cast.js";
import type { ImageRef } from "./image-ref.js";
import { parseCalls } from "./parse.js";
import { hostWorkOf, inOrder, only, ownSettings, settingPlaces } from "./select.js";
import { serviceConfProblems } from "./service-conf.js";
import { settingProblems } from "./setting-problems.js";
import { checkSources, sourceTrouble } from "./source.js";
import type { HostStep, MachineSpec, StepOf } from "./step.js";

/** What a setup script wants, all checked: pure data that can be printed. */
export type SetupPlan = {
  readonly script: string;
  readonly folder: string;
  readonly image: ImageRef;
  /** Settings of images that the script lets open the host. */
  readonly grant: readonly SettingName[];
  readonly machine: MachineSpec;
  readonly settings: SettingSource;
  /** The lines of the settings. */
  readonly places: ReadonlyMap<SettingName, Place>;
  /** The lines of single calls. */
  readonly lines: { readonly image: Place; readonly machine: Place; readonly exec: Place | undefined };
  readonly command: readonly string[] | undefined;
  readonly work: readonly HostStep[];
  /** The version of the host's systemd, if it was asked for. */
  readonly systemd?: number | undefined;
};

/**
 * Makes the plan of a setup script.
 * @param systemd the version of the host's systemd, where the machine is to be made there; what is newer is a problem then
 * @throws ScriptError with all problems
 */
export function planSetup(script: Script, systemd?: number): SetupPlan {
  const { steps, problems } = parseCalls(script);
  const found: Problem[] = [...problems];
  const image = only(script, steps, "image", found, { required: "IMAGE(url) says which image the machine runs" });
  const machine = only(script, steps, "machine", found, { required: "MACHINE(name) names the machine and its unit" });
  const exec = only(script, steps, "exec", found);
  const work = hostWorkOf(steps);
  const settings = ownSettings(steps, script.path);
  found.push(...checkSources(work, script.folder), ...checkCasts(work, script.folder), ...settingProblems(settings, exec, systemd));
  for (const step of steps) if (step.kind === "machine") found.push(...templateProblems(step, script.folder), ...serviceConfProblems(step));
  if (found.length > 0 || !image || !machine) throw new ScriptError(inOrder(found));
  return {
    script: script.path,
    folder: script.folder,
    image: image.image,
    grant: image.grant,
    machine: machine.machine,
    settings,
    places: settingPlaces(steps),
    lines: { image: image.at, machine: machine.at, exec: exec?.at },
    command: exec?.argv,
    work,
    systemd,
  };
}

function templateProblems({ at, machine: { template } }: StepOf<"machine">, folder: string): readonly Problem[] {
  const trouble = template === undefined ? undefined : sourceTrouble(template, folder, "template");
  return trouble ? [{ at, message: `MACHINE: template ${template} ${trouble.message}`, hint: trouble.hint }] : [];
}
