import { describe, expect, test } from "vitest";
import { isSettingName } from "../../src/settings/catalog.js";
import type { Settings } from "../../src/settings/settings.js";
import { entriesOf, WrongValue } from "../../src/settings/value.js";

/** What editors take, compiled by `npm run types`; what they refuse is refused by a directive that would be unused otherwise. */
const right = [
  { Boot: true, Register: "no", KeepUnit: null },
  { Environment: { A: "1", B: 2, C: false } },
  { Environment: ["A=1", "B=2"] },
  { Bind: "/a:/b", BindReadOnly: ["/a", { source: "/b" }, { source: "/c", readOnly: true }] },
  { Bind: [{ source: "/a", target: "/b", options: ["rbind"], readOnly: true }] },
  { TemporaryFileSystem: { path: "/tmp", options: "size=1G" }, Overlay: [{ lower: ["/a", "/b"], target: "/c" }] },
  { Capability: "CAP_NET_ADMIN CAP_KILL", DropCapability: ["all"], AmbientCapability: "CAP_KILL" },
  { LimitNOFILE: 1024, LimitCPU: "infinity", LimitAS: "1G:2G", OOMScoreAdjust: -5 },
  { PrivateUsers: 65536, KillSignal: "SIGRTMIN+3", CPUAffinity: [0, 1], User: 33 },
  { Console: "pipe", ResolvConf: "bind-host", Timezone: false, LinkJournal: "try-guest", Volatile: true },
  { Port: [80, "tcp:443:8443"], MACVLAN: ["eth0"], Zone: "web" },
  { SetCredential: { motd: "hi" }, LoadCredential: ["a:/b"], Property: { MemoryMax: "1G" } },
] as const satisfies readonly Settings[];

const wrong: readonly Settings[] = [
  // @ts-expect-error no such word
  { Console: "loud" },
  // @ts-expect-error no boolean
  { Boot: "maybe" },
  // @ts-expect-error no such field
  { Bind: { source: "/a", targte: "/b" } },
  // @ts-expect-error no text in it
  { Hostname: ["a"] },
  // @ts-expect-error no list
  { Environment: { A: ["b"] } },
  // @ts-expect-error an overlay has a target
  { Overlay: { lower: "/a" } },
  // @ts-expect-error what is read-only is always that
  { BindReadOnly: { source: "/a", readOnly: false } },
  // @ts-expect-error the same
  { OverlayReadOnly: [{ lower: "/a", target: "/b", readOnly: false }] },
];

const read = (settings: Settings): readonly unknown[] =>
  Object.entries(settings).flatMap(([name, value]) => (isSettingName(name) && value !== null ? [entriesOf(name, value)] : []));

describe("the type of settings", () => {
  test.each(right)("%j is right for the check, too", (settings) => {
    for (const reading of read(settings)) expect(reading).toMatchObject({ wrong: [] });
  });

  test.each(wrong)("%j is wrong for the check, too", (settings) => {
    expect(read(settings)).toMatchObject([{ entries: [], wrong: [expect.any(WrongValue)] }]);
  });
});
