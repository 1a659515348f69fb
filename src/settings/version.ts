import { catalog } from "./catalog.js";
import type { Setting } from "./merge.js";
import { renderSettings } from "./render.js";

/** A setting that a systemd is too old for. */
export type TooNew = {
  readonly setting: Setting;
  /** Such as `PrivateUsers=managed needs systemd 258, this host has 252`; without the value if the setting itself is new. */
  readonly message: string;
  /** What of the value that systemd takes, if it takes some of it: `eth0` of `eth0:lan`. */
  readonly older: string | undefined;
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
    const needs = (what: string, needed: number): string => `${what} needs systemd ${needed}, this host has ${version}`;
    if (since > version) return [{ setting, message: needs(name, since), older: undefined }];
    const valueSince = kind.since?.(value) ?? 0;
    return valueSince > version ? [{ setting, message: needs(`${name}=${value}`, valueSince), older: olderPart(setting, version) }] : [];
  });
}

/** A value without its last option, or without what is behind its last colon, if that is right and old enough. */
function olderPart({ name, value }: Setting, version: number): string | undefined {
  const { kind } = catalog[name];
  const parts = [/,[^,:]*$/, /:[^:]*$/].map((end) => value.replace(end, ""));
  return parts.find((part) => part !== value && kind.read(part) === part && (kind.since?.(part) ?? 0) <= version);
}
