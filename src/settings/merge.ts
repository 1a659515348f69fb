import { isList, type SettingName } from "./catalog.js";
import type { SettingEntry } from "./value.js";

/** A setting that counts, with the script or the image that it comes from. */
export type Setting = SettingEntry & { readonly origin: string };

/** The settings of one script or image: `removed` takes away what its ancestors have set, then `entries` count. */
export type SettingSource = {
  readonly origin: string;
  readonly removed: readonly SettingName[];
  readonly entries: readonly SettingEntry[];
};

/**
 * Settles inherited settings. A single value is taken from the nearest source; lists add up, farthest first, since
 * the order of options decides in systemd-nspawn; of one environment variable the nearest value stays.
 * @param sources farthest ancestor first, the nearest (the script itself) last
 */
export function mergeSettings(sources: readonly SettingSource[]): readonly Setting[] {
  let merged: Setting[] = [];
  for (const { origin, removed, entries } of sources) {
    merged = merged.filter(({ name }) => !removed.includes(name));
    for (const entry of entries) {
      const key = keyOf(entry);
      if (key !== undefined) merged = merged.filter((earlier) => keyOf(earlier) !== key);
      merged.push({ ...entry, origin });
    }
  }
  return merged;
}

/** Entries of the same key replace each other; undefined: nothing is replaced. */
function keyOf({ name, value }: SettingEntry): string | undefined {
  if (name === "Environment") return `Environment=${value.slice(0, value.indexOf("="))}`;
  return isList(name) ? undefined : name;
}
