import { catalog, type SettingName } from "./catalog.js";
import type { Setting } from "./merge.js";
import type { SettingEntry } from "./value.js";

/** What a setup script grants to its images: the very settings that it repeats, those that it names, and those of images it trusts. */
export type Grant = {
  readonly script: string;
  readonly repeated: readonly SettingEntry[];
  readonly names: readonly SettingName[];
  readonly trusts: (origin: string) => boolean;
};

/** The settings that images suggest, that open the host to the machine, and that nobody has granted. */
export function ungranted(settings: readonly Setting[], { script, repeated, names, trusts }: Grant): readonly Setting[] {
  const isGranted = ({ name, value, origin }: Setting): boolean =>
    origin === script || names.includes(name) || trusts(origin) || repeated.some((entry) => entry.name === name && entry.value === value);
  return settings.filter((setting) => opensHost(setting) && !isGranted(setting));
}

function opensHost({ name, value }: Setting): boolean {
  const { privileged } = catalog[name];
  return privileged === "yes" || (privileged === "allow-list" && !value.startsWith("~"));
}
