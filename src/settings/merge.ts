import { type Place, showPlace } from "../base/place.js";
import { catalog, isList, type SettingName } from "./catalog.js";
import type { SettingEntry } from "./value.js";

/** A setting as a source has it. `at`: the line of the script, if that is the source. */
export type SourceEntry = SettingEntry & { readonly at?: Place | undefined };

/** A setting that counts, with the script or the image that it comes from. */
export type Setting = SourceEntry & { readonly origin: string };

/** The settings of one script or image: `removed` takes away what its ancestors have set, then `entries` count. */
export type SettingSource = {
  readonly origin: string;
  readonly removed: readonly SettingName[];
  readonly entries: readonly SourceEntry[];
};

/** Where a setting comes from: `file:line` of the script, or the URL of the image. */
export function originOf({ origin, at }: Pick<Setting, "origin" | "at">): string {
  return at ? showPlace(at) : origin;
}

/**
 * Settles inherited settings. A single value is taken from the nearest source; lists add up, farthest first, since the order of
 * options decides in systemd-nspawn. Of items that are about the same thing (a variable, a mount's target, a port of the host, a
 * credential), or that are the same, the nearest stays: systemd-nspawn would refuse the second, or hide one by the other.
 * @param sources farthest ancestor first, the nearest (the script itself) last
 */
export function mergeSettings(sources: readonly SettingSource[]): readonly Setting[] {
  const merged = new Map<string | symbol, Setting>();
  for (const { origin, removed, entries } of sources) {
    for (const [key, { name }] of merged) if (removed.includes(name)) merged.delete(key);
    for (const entry of entries) {
      const key = keyOf(entry);
      // Its place is that of the nearest, too.
      merged.delete(key);
      merged.set(key, { ...entry, origin });
    }
  }
  return [...merged.values()];
}

/** Entries of the same key replace each other. */
function keyOf({ name, value }: SettingEntry): string | symbol {
  const { form, kind } = catalog[name];
  // An argument may well be there twice.
  if (form === "positional") return Symbol();
  if (!isList(name)) return name;
  return kind.about?.(value) ?? `${name}=${value}`;
}
