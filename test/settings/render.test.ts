import { describe, expect, test } from "vitest";
import type { SettingName } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { directivesOf, parametersOf, renderSettings } from "../../src/settings/render.js";
import { entriesOf } from "../../src/settings/value.js";

const setting = (name: SettingName, value: string): Setting => ({ name, value, origin: "o" });
const argv = (...settings: readonly Setting[]): readonly string[] => renderSettings(settings);

describe("renderSettings", () => {
  test.each([
    ["Boot", "yes", ["--boot"]],
    ["Boot", "no", []],
    ["Register", "no", ["--register=no"]],
    ["NoNewPrivileges", "yes", ["--no-new-privileges=yes"]],
    ["Volatile", "overlay", ["--volatile=overlay"]],
    ["Hostname", "a b", ["--hostname=a b"]],
    ["User", "www-data", ["-u", "www-data"]],
    ["Environment", "A=1\n2", ["--setenv=A=1\n2"]],
    ["LimitNOFILE", "1:2", ["--rlimit=RLIMIT_NOFILE=1:2"]],
    ["AutoPrivateUsers", "yes", ["-U"]],
    ["Port", "tcp:80", ["--port=tcp:80"]],
    ["PrivateUsersChown", "yes", ["--private-users-chown"]],
    ["Private", "no", []],
    ["PrivateUsers", "no", ["--private-users=no"]],
    ["NotifyReady", "no", ["--notify-ready=no"]],
    ["NamespacePath", "/run/netns/a", ["--network-namespace-path=/run/netns/a"]],
    ["RestrictAddressFamilies", "", ["--restrict-address-families="]],
    ["SystemCallFilter", "~@mount bpf", ["--system-call-filter=~@mount bpf"]],
  ] as const)("%s=%s", (name, value, expected) => {
    expect(argv(setting(name, value))).toEqual(expected);
  });

  test("a list is an option for each item, in order", () => {
    expect(argv(setting("Capability", "CAP_A"), setting("Capability", "CAP_B"))).toEqual(["--capability=CAP_A", "--capability=CAP_B"]);
  });

  test("arguments are what they were before they were written", () => {
    const { entries } = entriesOf("Parameters", ["a b", '"c"', "", "d\\"]);
    expect(parametersOf(entries.map((entry) => ({ ...entry, origin: "o" })))).toEqual(["a b", '"c"', "", "d\\"]);
  });

  test("limits and the slice are directives of the unit, and no options", () => {
    const settings = [setting("Slice", "web.slice"), setting("Property", "MemoryMax=1G"), setting("Property", "IODeviceWeight=/dev/a=b 5")];
    expect(argv(...settings)).toEqual([]);
    expect(directivesOf([...settings, setting("Boot", "yes")])).toEqual([
      { name: "Slice", value: "web.slice" },
      { name: "MemoryMax", value: "1G" },
      { name: "IODeviceWeight", value: "/dev/a=b 5" },
    ]);
  });

  test("parameters are no options but come at the end", () => {
    const settings = [setting("Parameters", "a b"), setting("Boot", "yes"), setting("Parameters", "-c")];
    expect(argv(...settings)).toEqual(["--boot"]);
    expect(parametersOf(settings)).toEqual(["a b", "-c"]);
  });

  test("a value that looks like an option stays a value", () => {
    expect(argv(setting("Hostname", "--boot"))).toEqual(["--hostname=--boot"]);
    // getopt takes the word after -u as its value, whatever it looks like.
    expect(argv(setting("User", "--bind=/"))).toEqual(["-u", "--bind=/"]);
  });
});
