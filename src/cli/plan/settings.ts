import { oneLine } from "../../base/shell-quote.js";
import type { BuildPlan } from "../../plan/build-plan.js";
import type { SettingName } from "../../settings/catalog.js";
import type { SettingSource } from "../../settings/merge.js";
import { here, placeHere } from "../here.js";
import type { Item } from "./plan.js";

/** The settings of one source for people. */
export function settingItems({ entries, removed }: SettingSource, originOf: (name: SettingName) => string): readonly Item[] {
  return [
    ...removed.map((name): Item => [`${name} is not inherited`, originOf(name)]),
    ...entries.map(({ name, value }): Item => [`${name}=${oneLine(value)}`, originOf(name)]),
  ];
}

/** Where a setting comes from: an image's URL, or the line of the script. */
export function originHere(plan: Pick<BuildPlan, "settings" | "places" | "script">, origin: string, name: SettingName): string {
  const place = origin === plan.settings.origin ? plan.places.get(name) : undefined;
  return place ? placeHere(place) : origin === plan.script ? here(origin) : origin;
}
