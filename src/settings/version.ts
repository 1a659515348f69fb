import { NspawnError } from "../base/errors.js";
import { catalog } from "./catalog.js";
import type { Setting } from "./merge.js";
import { renderSettings } from "./render.js";

/** A setting that a systemd is too old for. */
export type TooNew = {
  readonly setting: Setting;
  /** The setting's name, or with its value if only that is new: `PrivateUsers=managed`. */
  readonly what: string;
  /** The version of systemd that it needs. */
  readonly since: number;
};

/**
 * The settings, and words of their values, that are newer than a systemd.
 * @param version as in `systemctl --version`, such as 252
 */
export function tooNew(settings: readonly Setting[], version: number): readonly TooNew[] {
  return settings.flatMap((setting): readonly TooNew[] => {
    const { name, value } = setting;
    const { since, kind, form } = catalog[name];
    // A flag that is off gives no option.
    if (form !== "positional" && renderSettings([setting]).length === 0) return [];
    if (since > version) return [{ setting, what: name, since }];
    const valueSince = kind.since?.(value) ?? 0;
    return valueSince > version ? [{ setting, what: `${name}=${value}`, since: valueSince }] : [];
  });
}

/** Says which systemd each needs, and which there is. */
export function tooNewError(newer: readonly TooNew[], version: number): NspawnError {
  const lines = newer.map(
    ({ what, setting, since }) => `${what} (from ${setting.origin}) needs systemd ${since}, this host has ${version}`,
  );
  const names = [...new Set(newer.map(({ setting }) => `${setting.name}: null`))].join(", ");
  return new NspawnError(lines.join("\n"), { hint: `do without: WITH({ ${names} })` });
}
