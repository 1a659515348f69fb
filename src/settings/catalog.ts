import { execSettings } from "./catalog/exec.js";
import { filesSettings } from "./catalog/files.js";
import { networkSettings } from "./catalog/network.js";
import { optionSettings } from "./catalog/options.js";
import type { Row } from "./catalog/row.js";

/** A setting; `section` is the part of systemd.nspawn(5) that it is in, or `option` if it is none of a .nspawn file. */
export type SettingRow = Row & { readonly section: "Exec" | "Files" | "Network" | "option" };

/**
 * All systemd.nspawn settings: the only place that knows them. Types, checks, options and documents come from it. Sources:
 * systemd.nspawn(5) for sections and names, systemd-nspawn(1) for options, nspawn.c of systemd for what they take.
 */
export const catalog = {
  ...inSection("Exec", execSettings),
  ...inSection("Files", filesSettings),
  ...inSection("Network", networkSettings),
  ...inSection("option", optionSettings),
};

export type SettingName = keyof typeof catalog;

/** The names of all settings, in the order of their sections. */
export const settingNames = Object.keys(catalog) as readonly SettingName[];

/** The row of a setting, or undefined if there is none of this name. */
export function rowOf(name: string): SettingRow | undefined {
  return isSettingName(name) ? catalog[name] : undefined;
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(catalog, name);
}

/** Whether values of a setting add up over an image's ancestors, rather than the nearest one winning. */
export function isList(name: SettingName): boolean {
  const { form } = catalog[name];
  return form === "each" || form === "positional" || form === "directives";
}

/** The setting that is the same as a read-only one, but can be written to: `Bind` of `BindReadOnly`. */
export function writableName(name: SettingName): SettingName | undefined {
  return settingNames.find((other) => catalog[other].readOnlyName === name);
}

function inSection<const N extends string>(
  section: SettingRow["section"],
  rows: { readonly [K in N]: Row },
): { readonly [K in N]: SettingRow } {
  const entries = Object.entries<Row>(rows).map(([name, row]) => [name, { ...row, section }]);
  return Object.fromEntries(entries) as { readonly [K in N]: SettingRow };
}
