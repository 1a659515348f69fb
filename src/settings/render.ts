import { catalog } from "./catalog.js";
import type { Setting } from "./merge.js";
import { unquoteWord } from "./quoted-words.js";
import type { SettingEntry } from "./value.js";

/** Options of systemd-nspawn(1) for the settings, in their order; positional ones (Parameters) are left out, see {@link parametersOf}. */
export function renderSettings(settings: readonly SettingEntry[]): readonly string[] {
  return settings.flatMap(argvOf);
}

/** The positional arguments that settings give. */
export function parametersOf(settings: readonly Setting[]): readonly string[] {
  return settings.filter(({ name }) => catalog[name].form === "positional").map(({ value }) => unquoteWord(value));
}

/** The lines of [Service] that settings give, as in systemd.resource-control(5). */
export function directivesOf(settings: readonly Setting[]): readonly { readonly name: string; readonly value: string }[] {
  return settings.flatMap(({ name, value }) => {
    const { form } = catalog[name];
    if (form === "directive") return [{ name, value }];
    if (form !== "directives") return [];
    const at = value.indexOf("=");
    return [{ name: value.slice(0, at), value: value.slice(at + 1) }];
  });
}

function argvOf({ name, value }: SettingEntry): readonly string[] {
  const { form, option } = catalog[name];
  switch (form) {
    case "flag":
      return value === "yes" ? [option] : [];
    case "separate":
      return [option, value];
    case "positional":
    case "directive":
    case "directives":
      return [];
    default:
      return [`${option}=${value}`];
  }
}
