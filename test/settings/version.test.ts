import { describe, expect, test } from "vitest";
import { catalog, type SettingName, settingNames } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { tooNew } from "../../src/settings/version.js";

const setting = (name: SettingName, value: string, origin = "/srv/setup.ts"): Setting => ({ name, value, origin });
const refused = (version: number, ...settings: readonly Setting[]): readonly string[] =>
  tooNew(settings, version).map(({ message }) => message.replace(/ needs systemd (\d+), this host has \d+$/, " $1"));

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

describe("what an older systemd takes of a value", () => {
  test.each([
    ["MACVLAN", "eth0:x", 252, "eth0"],
    ["Bind", "/a:/b:rbind,owneridmap", 255, "/a:/b:rbind"],
    ["Bind", "/a:/b:owneridmap", 255, "/a:/b"],
    ["PrivateUsers", "managed", 257, undefined],
    ["RestrictAddressFamilies", "AF_INET", 252, undefined],
  ] as const)("%s=%s before systemd %i", (name, value, version, older) => {
    expect(tooNew([setting(name, value)], version)).toEqual([expect.objectContaining({ older })]);
  });
});
