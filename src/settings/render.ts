import { catalog } from "./catalog.js";
import type { Setting } from "./merge.js";

/** One setting as arguments of systemd-nspawn; none where false is what the program does anyway. */
export type RenderedSetting = { readonly setting: Setting; readonly argv: readonly string[] };

/** Options of systemd-nspawn(1) for the settings, in their order. Positional ones (Parameters) are left out: see {@link parametersOf}. */
export function renderSettings(settings: readonly Setting[]): readonly RenderedSetting[] {
  return settings.filter(({ name }) => catalog[name].form !== "positional").map((setting) => ({ setting, argv: argvOf(setting) }));
}

/** The positional arguments that settings give. */
export function parametersOf(settings: readonly Setting[]): readonly string[] {
  return settings.filter(({ name }) => catalog[name].form === "positional").map(({ value }) => value);
}

function argvOf({ name, value }: Setting): readonly string[] {
  const { form, option } = catalog[name];
  switch (form) {
    case "flag":
      return value === "yes" ? [option] : [];
    case "separate":
      return [option, value];
    case "positional":
      return [];
    default:
      return [`${option}=${value}`];
  }
}
