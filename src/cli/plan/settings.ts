import { oneLine } from "../../base/shell-quote.js";
import type { BuildPlan } from "../../plan/build-plan.js";
import type { SettingName } from "../../settings/catalog.js";
import { originOf, type Setting } from "../../settings/merge.js";
import { here, placeHere } from "../here.js";
import type { Item } from "./plan.js";

/** The script's own settings for people, those that it takes away first. */
export function ownSettingItems({ settings, places, script }: Pick<BuildPlan, "settings" | "places" | "script">): readonly Item[] {
  const { origin, entries } = settings;
  return [
    ...removedItems({ settings, places, script }).map(([name, from]): Item => [`${name} is not inherited`, from]),
    ...entries.map((entry): Item => [`${entry.name}=${oneLine(entry.value)}`, originHere({ ...entry, origin })]),
  ];
}

/** The settings that a script takes away from its images, with their lines. */
export function removedItems({ settings, places, script }: Pick<BuildPlan, "settings" | "places" | "script">): readonly Item[] {
  const lineOf = (name: SettingName): string => {
    const place = places.get(name);
    return place ? placeHere(place) : here(script);
  };
  return settings.removed.map((name) => [name, lineOf(name)]);
}

/** Where a setting or a command comes from: an image's URL, or the line of the script. */
export function originHere({ origin, at }: Pick<Setting, "origin" | "at">): string {
  if (at) return placeHere(at);
  return origin.startsWith("/") ? here(origin) : origin;
}

/** Settings for programs. */
export function settingFields(settings: readonly Setting[]): readonly Readonly<Record<string, unknown>>[] {
  return settings.map(({ name, value, ...from }) => ({ name, value, origin: originOf(from) }));
}
