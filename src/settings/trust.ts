import { catalog, type SettingName } from "./catalog.js";
import type { Setting } from "./merge.js";

/** What a setup script grants to the images below it: the settings it repeats itself, and those it names. */
export type Grant = { readonly script: string; readonly names: ReadonlySet<SettingName>; readonly trusts: (origin: string) => boolean };

/** The settings that images suggest, that open the host to the machine, and that nobody has granted. */
export function ungranted(settings: readonly Setting[], grant: Grant): readonly Setting[] {
  return settings.filter(
    (setting) => setting.origin !== grant.script && !grant.names.has(setting.name) && !grant.trusts(setting.origin) && opensHost(setting),
  );
}

function opensHost({ name, value }: Setting): boolean {
  const { privileged } = catalog[name];
  return privileged === "yes" || (privileged === "allow-list" && !value.startsWith("~"));
}
