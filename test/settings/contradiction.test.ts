import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog, type SettingName } from "../../src/settings/catalog.js";
import { contradictions } from "../../src/settings/contradiction.js";
import { mergeSettings, type Setting } from "../../src/settings/merge.js";
import { renderSettings } from "../../src/settings/render.js";
import { complaintOf, isAboutHost, systemdVersion } from "../support/systemd-nspawn.js";
import { tries } from "../support/tries.js";

const setting = (line: string, origin = "/srv/setup.ts"): Setting => {
  const [name = "", ...value] = line.split("=");
  return { name: name as SettingName, value: value.join("="), origin };
};
const settings = (...lines: readonly string[]): readonly Setting[] => lines.map((line) => setting(line));
const names = (complete: boolean, ...lines: readonly string[]): readonly (readonly string[])[] =>
  contradictions(settings(...lines), complete, systemdVersion).map((found) => found.settings.map(({ name }) => name));

describe("contradictions", () => {
  const excluding = [
    ["Boot=yes", "ProcessTwo=yes"],
    ["Boot=yes", "AmbientCapability=CAP_CHOWN"],
    ["Ephemeral=yes", "LinkJournal=host"],
    ["Ephemeral=yes", "LinkJournal=guest"],
    ["PrivateUsersOwnership=chown", "ReadOnly=yes"],
    ["PrivateUsersChown=yes", "ReadOnly=yes"],
    ["PrivateUsersOwnership=chown", "Volatile=state"],
    ["PrivateUsersOwnership=chown", "TemporaryFileSystem=/"],
    ["NamespacePath=/proc/self/ns/net", "VirtualEthernet=yes"],
    ["NamespacePath=/proc/self/ns/net", "VirtualEthernetExtra=a"],
    ["NamespacePath=/proc/self/ns/net", "Bridge=br0"],
    ["NamespacePath=/proc/self/ns/net", "Zone=web"],
    ["Bridge=br0", "Zone=web"],
    ["AmbientCapability=CAP_CHOWN", "DropCapability=CAP_CHOWN"],
    ["AmbientCapability=CAP_CHOWN", "DropCapability=all"],
    ["PrivateUsers=yes", "Bind=/srv:/"],
    ["PrivateUsers=pick", "Overlay=/a:/b:/"],
    ["AutoPrivateUsers=yes", "TemporaryFileSystem=//"],
  ] as const;

  test("KeepUnit may be said, but not be off: the unit is the machine's scope", () => {
    expect(names(false, "KeepUnit=no")).toEqual([["KeepUnit"]]);
    expect(names(true, "KeepUnit=no", "KeepUnit=yes")).toEqual([]);
  });

  test.each(excluding)("%s and %s exclude each other, in a script and in all", (one, other) => {
    const pair = [setting(one).name, setting(other).name];
    expect(names(false, one, other)).toEqual([pair]);
    expect(names(false, other, one)).toEqual([pair]);
    expect(names(true, one, other)).toContainEqual(pair);
    expect(names(true, one)).not.toContainEqual(pair);
  });

  test.each([
    ["Port=80"],
    ["PrivateUsers=managed"],
    ["PrivateUsersDelegate=1"],
    ["BindUserShell=yes"],
    ["BindUserGroup=a"],
    ["AmbientCapability=CAP_NET_ADMIN"],
  ])("%s lacks something, which another script or image may have", (line) => {
    expect(names(true, line)).toEqual([[setting(line).name]]);
    expect(names(false, line)).toEqual([]);
  });

  test("BindUser needs private users up to systemd 257", () => {
    expect(contradictions(settings("BindUser=a"), true, 257)).toHaveLength(1);
    expect(contradictions(settings("BindUser=a"), true, 258)).toEqual([]);
    expect(contradictions(settings("BindUser=a", "AutoPrivateUsers=yes"), true, 257)).toEqual([]);
  });

  test.each([
    ["Boot=yes", "ProcessTwo=no"],
    ["Boot=yes", "ProcessTwo=yes", "ProcessTwo=no"],
    ["Ephemeral=yes", "LinkJournal=try-host"],
    ["PrivateUsersOwnership=map", "ReadOnly=yes"],
    ["NamespacePath=/proc/self/ns/net", "Private=yes", "Port=80"],
    ["Port=80", "Zone=web"],
    ["AmbientCapability=CAP_NET_ADMIN", "Private=yes"],
    ["AmbientCapability=CAP_SYS_TIME", "Capability=cap_sys_time"],
    ["PrivateUsers=65536:65536", "TemporaryFileSystem=/"],
    ["PrivateUsers=no", "TemporaryFileSystem=/"],
    ["PrivateUsers=pick", "TemporaryFileSystem=/tmp"],
    ["PrivateUsersDelegate=0"],
  ])("%s %s %s is no contradiction", (...lines) => {
    expect(contradictions(settings(...lines.filter((line) => line !== undefined)), true, systemdVersion)).toEqual([]);
  });

  test("both are named with their origins, and what to do is said", () => {
    const found = contradictions([setting("Boot=yes", "https://h/a.tar.gz"), setting("ProcessTwo=yes")], true);
    expect(found).toEqual([
      {
        settings: [
          { name: "Boot", value: "yes", origin: "https://h/a.tar.gz" },
          { name: "ProcessTwo", value: "yes", origin: "/srv/setup.ts" },
        ],
        message: "Boot and ProcessTwo exclude each other",
        hint: undefined,
      },
    ]);
    expect(contradictions([setting("Ephemeral=yes"), setting("LinkJournal=host")], true)[0]?.message).toBe(
      "Ephemeral and LinkJournal=host exclude each other",
    );
    expect(contradictions([setting("Port=80")], true)[0]).toMatchObject({ message: "Port=80 needs a network of the machine's own" });
  });

  test("they are what systemd-nspawn refuses, and nothing else", () => {
    const pool = [
      ...excluding.flat(),
      ...["Private=yes", "Private=no", "Port=80", "Boot=no", "ProcessTwo=no", "Volatile=no", "Volatile=yes", "LinkJournal=try-guest"],
      ...["PrivateUsers=no", "PrivateUsers=65536", "PrivateUsers=identity", "PrivateUsersOwnership=off", "PrivateUsersOwnership=map"],
      ...[
        "AmbientCapability=CAP_NET_ADMIN",
        "AmbientCapability=CAP_SYS_TIME",
        "Capability=CAP_SYS_TIME",
        "Capability=all",
        "BindUser=nobody",
      ],
      ...["DropCapability=CAP_SYS_TIME", "PrivateUsersChown=no", "PrivateUsersOwnership=auto", "Inaccessible=/x", "Bind=/srv"],
    ].filter((line) => catalog[setting(line).name].since <= systemdVersion);
    const some = fc.uniqueArray(fc.constantFrom(...pool), { maxLength: 5 });
    fc.assert(
      fc.property(some, (lines) => {
        const entries = lines.map((line) => setting(line));
        const merged = mergeSettings([{ origin: "o", removed: [], entries }]);
        const found = contradictions(merged, true, systemdVersion);
        const complaint = complaintOf(renderSettings(merged));
        expect({ lines, found: found.length > 0 ? complaint : "" }).toEqual({ lines, found: isAboutHost(complaint) ? "" : complaint });
      }),
      { numRuns: tries(200) },
    );
  });
});
