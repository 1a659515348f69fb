import { describe, expect, test } from "vitest";
import { catalog, type SettingName, settingNames } from "../../../src/settings/catalog.js";
import { renderSettings } from "../../../src/settings/render.js";
import { entriesOf, type SettingEntry } from "../../../src/settings/value.js";
import { complaintOf, isAboutHost, systemdVersion } from "../../support/systemd-nspawn.js";

/** Settings without which systemd-nspawn does not take another. */
const companions: { readonly [N in SettingName]?: readonly SettingEntry[] } = {
  Port: [{ name: "Private", value: "yes" }],
  BindUser: [{ name: "PrivateUsers", value: "pick" }],
};

function entries(name: SettingName, value: unknown): readonly SettingEntry[] {
  const { entries, wrong } = entriesOf(name, value);
  if (wrong[0]) throw new Error(`${name} takes ${wrong[0].expected}, not ${JSON.stringify(wrong[0].given)}`);
  return entries;
}

/** Whether systemd-nspawn takes an option with a value as it is. */
function isTaken(name: SettingName, value: string): boolean {
  return isAboutHost(complaintOf(renderSettings([...(companions[name] ?? []), { name, value }])));
}

/** Skips what this host's systemd does not know yet, or this machine cannot do, so that the report shows it. */
const testOf = (name: SettingName) =>
  test.skipIf(catalog[name].since > systemdVersion || (name === "Personality" && process.arch !== "x64"));

describe("systemd-nspawn of this host", () => {
  for (const name of settingNames) {
    testOf(name)(`takes the example of ${name}`, () => {
      const settings = [...(companions[name] ?? []), ...entries(name, catalog[name].kind.example)];
      expect(complaintOf(renderSettings(settings))).toSatisfy(isAboutHost);
    });
  }

  const values: readonly (readonly [SettingName, readonly string[]])[] = [
    [
      "Hostname",
      ["a", "web.example.org", "1", "A1.b2", "", "a b", "a_b", "-a", "a-", "a.-b", "a..b", "a.b.", "ü", "x".repeat(64), "x".repeat(65)],
    ],
    ["MachineID", ["0123456789abcdef0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef", "0".repeat(32), "0123", "", "g".repeat(32)]],
    ["PrivateUsers", ["yes", "no", "true", "pick", "identity", "0", "1", "65536", "65536:65536", "5:0", "65536:", "", "a", "4294967295"]],
    ["KillSignal", ["SIGTERM", "TERM", "15", "RTMIN+3", "SIGRTMAX-3", "RTMIN", "64", "sigterm", "0", "99", "RTMIN+99", ""]],
    ["Capability", ["CAP_NET_ADMIN", "cap_net_admin", "all", "12", "63", "net_admin", "CAP_NOPE", "64", "ALL"]],
    ["SystemCallFilter", ["", "~", "@mount bpf", "~@mount", "open:1"]],
    ["LimitCPU", ["5", "5:10", "1min", "10:5", "5 s : 7", "5:", ":5", "", "a", "infinity", "infinity:infinity"]],
    ["LimitAS", ["1G", "1.5G", "1G 5M", "5", "1Q", "-1"]],
    ["LimitNOFILE", ["1024", "0x10", "1K", "a", "-1", "10:5"]],
    [
      "LimitNICE",
      ["+0", "+5", "+19", "+20", "-0", "-5", "-20", "-21", "0", "1", "10", "19", "39", "40", "41", "45", "a", "5:4", "infinity"],
    ],
    ["OOMScoreAdjust", ["0", "-1000", "1000", "1001", "-1001", "a", ""]],
    ["CPUAffinity", ["0-3,5", "0 1", "", "3-1", "0, 1-2", "8191", "8192", "numa"]],
    ["ResolvConf", ["off", "no", "yes", "copy-host", "bind-uplink", "delete", "auto", "copy", "on-host"]],
    ["Timezone", ["off", "no", "symlink", "auto", "Europe/Berlin"]],
    ["LinkJournal", ["no", "off", "yes", "auto", "try-guest", "maybe"]],
    ["Volatile", ["yes", "off", "1", "state", "overlay", "", "always"]],
    ["Bind", [":/a", "/a", "/a:/b", "+/a", "/a b:/c", "/a\\:b", "/a:/b:", "/a:/b:rbind,idmap", "", "/a:", "/a::", "/a:b"]],
    ["TemporaryFileSystem", ["/a", "/a:size=1G", "/a:", "a", ":x"]],
    ["Inaccessible", ["/a", "a", ""]],
    ["Overlay", ["/a:/b", "/a::/c", "+/a::/c", "/a:/b:/c:/d", "/a:/b:/", "/a", "/a:/b:", "/a:/b:c", ":/b:/c", "/a::"]],
    ["BindUser", ["nobody", "www-data", "A_1-", "a.b", "1", "-x", "x".repeat(31), "x".repeat(32)]],
    ["PrivateUsersOwnership", ["off", "chown", "map", "auto", "no", "yes", "mine"]],
    ["VirtualEthernetExtra", ["a", "a:b", "0123456789abcde", "0123456789abcdef", ":a", "a b", "a%b"]],
    ["Bridge", ["br0", "0123456789abcdef", "", "5", "a/b", "all"]],
    ["Zone", ["web", "5", "0123456789ab", "0123456789abc", "a b"]],
    ["Port", ["80", "tcp:80:8080", "udp:53", "0", "65536", "sctp:80", "TCP:80", "80:0", "80:", "80 ", ""]],
    ["Console", ["pipe", "read-only", "no", ""]],
    ["SetCredential", ["a:", "a:b:c", "a b:x", "a:\\n\\\\\\x41\\101\\s", "a:é", "a:\\e", "a:\\0", "a:\\z", "a", ":b", "a/b:c", "é:x"]],
    ["Environment", ["A=1", "A=", "A=a b\n", "_=x", "A B=1", "1A=1", "A-B=1", "=1", "Ä=1"]],
    ["WorkingDirectory", ["/", "/a/", "/a b", "a", ""]],
    ["PivotRoot", ["/a", "/a:/b", "a", "/a:b", "/a/../b", ""]],
    ["NotifyReady", ["yes", "off", "1", "", "maybe"]],
  ];
  for (const [name, text] of values.flatMap(([name, texts]) => texts.map((text) => [name, text] as const))) {
    testOf(name)(`${name}=${JSON.stringify(text)} is taken by systemd-nspawn if it is taken here`, () => {
      const { entries: read, wrong } = entriesOf(name, text);
      const isRight = wrong.length === 0 && read.length === 1;
      // What is written as an option is the text as it is read, so that of both that is checked, too.
      expect({ text, isRight }).toEqual({ text, isRight: isTaken(name, text) });
      if (isRight) expect(complaintOf(renderSettings([...(companions[name] ?? []), ...read]))).toSatisfy(isAboutHost);
    });
  }

  test("names of interfaces for both sides came with systemd 253", () => {
    const since = catalog.MACVLAN.kind.since?.("eth0:x") ?? 0;
    expect(isTaken("MACVLAN", "eth0:x")).toBe(systemdVersion >= since);
  });
});
