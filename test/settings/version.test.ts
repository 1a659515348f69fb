import { describe, expect, test } from "vitest";
import { catalog, type SettingName, settingNames } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { tooNew, tooNewError } from "../../src/settings/version.js";

const setting = (name: SettingName, value: string, origin = "/srv/setup.ts"): Setting => ({ name, value, origin });
const refused = (version: number, ...settings: readonly Setting[]): readonly string[] =>
  tooNew(settings, version).map(({ what, since }) => `${what} ${since}`);

describe("tooNew", () => {
  test("a setting that came later than the host's systemd", () => {
    const families = setting("RestrictAddressFamilies", "AF_INET");
    expect(refused(260, families, setting("Boot", "yes"))).toEqual(["RestrictAddressFamilies 261"]);
    expect(refused(261, families)).toEqual([]);
  });

  test.each([
    ["PrivateUsers", "managed", 258],
    ["PrivateUsersOwnership", "foreign", 258],
    ["Console", "autopipe", 248],
    ["Bind", "/a:/b:rbind,owneridmap", 256],
    ["MACVLAN", "eth0:x", 253],
  ] as const)("%s=%s, though the setting itself is older", (name, value, since) => {
    expect(catalog[name].since).toBeLessThan(since);
    expect(refused(since - 1, setting(name, value))).toEqual([`${name}=${value} ${since}`]);
    expect(refused(since, setting(name, value))).toEqual([]);
  });

  test("older words and paths that look like options are not new", () => {
    const settings = [
      setting("PrivateUsers", "pick"),
      setting("Bind", "/a:/owneridmap"),
      setting("MACVLAN", "eth0"),
      setting("Console", "toString"),
    ];
    expect(refused(252, ...settings)).toEqual([]);
  });

  test("a flag that is off gives no option, so any systemd takes it", () => {
    expect(refused(252, setting("Cleanup", "no"))).toEqual([]);
    expect(refused(252, setting("Cleanup", "yes"))).toEqual(["Cleanup 257"]);
  });

  test("every setting that is an option is told for a systemd that knows none of them", () => {
    const options = settingNames.filter((name) => !catalog[name].form.startsWith("directive"));
    expect(options.length).toBe(settingNames.length - 2);
    for (const name of options) expect(refused(1, setting(name, "yes"))).toEqual([`${name} ${catalog[name].since}`]);
  });
});

describe("tooNewError", () => {
  test("names setting, origin and both versions", () => {
    const settings = [setting("RestrictAddressFamilies", "AF_INET", "https://h/a.tar.gz"), setting("PrivateUsers", "managed")];
    const error = tooNewError(tooNew(settings, 252), 252);
    expect(error.message).toBe(
      "RestrictAddressFamilies (from https://h/a.tar.gz) needs systemd 261, this host has 252\n" +
        "PrivateUsers=managed (from /srv/setup.ts) needs systemd 258, this host has 252",
    );
    expect(error.hint).toBe("do without: WITH({ RestrictAddressFamilies: null, PrivateUsers: null })");
  });
});
