import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog, type SettingName, settingNames } from "../../src/settings/catalog.js";
import { splitColons } from "../../src/settings/colons.js";
import { entriesOf, WrongValue } from "../../src/settings/value.js";
import { tries } from "../support/tries.js";

/** Values of the entries, or what would be right. */
function values(name: SettingName, value: unknown): readonly string[] | string {
  const { entries, wrong } = entriesOf(name, value);
  if (wrong[0]) return wrong[0].expected;
  for (const entry of entries) expect([name, catalog[name].readOnlyName]).toContain(entry.name);
  return entries.map((entry) => entry.value);
}

function wrong(name: SettingName, value: unknown): WrongValue {
  const [first, ...more] = entriesOf(name, value).wrong;
  if (!first || more.length > 0) throw new Error(`${name} takes ${JSON.stringify(value)}, or more of it is wrong`);
  return first;
}

describe("entriesOf", () => {
  test.each([true, "yes", "Yes", "true", "on", "1", 1, "y", "T"])("%j is yes for a boolean", (value) => {
    expect(values("Boot", value)).toEqual(["yes"]);
    expect(values("Register", value)).toEqual(["yes"]);
  });

  test.each([false, "no", "NO", "false", "off", "0", 0, "n", "f"])("%j is no for a boolean", (value) => {
    expect(values("Boot", value)).toEqual(["no"]);
  });

  test.each([[undefined], [null], [""], ["maybe"], [2], [[]], [[true]], [{}], ["yes "]])("%j is no boolean", (value) => {
    expect(values("Boot", value)).toMatch(/true or false/);
  });

  test("a setting that is a boolean or a word takes both", () => {
    expect(values("PrivateUsers", true)).toEqual(["yes"]);
    expect(values("PrivateUsers", false)).toEqual(["no"]);
    expect(values("PrivateUsers", "off")).toEqual(["no"]);
    expect(values("PrivateUsers", "pick")).toEqual(["pick"]);
    expect(values("Volatile", "overlay")).toEqual(["overlay"]);
    expect(values("Volatile", "on")).toEqual(["yes"]);
    expect(values("BindUserShell", "/bin/sh")).toEqual(["/bin/sh"]);
  });

  test("digits are users for PrivateUsers, and no booleans", () => {
    expect(values("PrivateUsers", 65536)).toEqual(["65536"]);
    expect(values("PrivateUsers", 0)).toEqual(["0"]);
    expect(values("PrivateUsers", "1")).toEqual(["1"]);
  });

  test("true and false stand for words where systemd has it so", () => {
    expect(values("ResolvConf", false)).toEqual(["off"]);
    expect(values("Timezone", "no")).toEqual(["off"]);
    expect(values("LinkJournal", false)).toEqual(["no"]);
    expect(values("PrivateUsersOwnership", true)).toEqual(["auto"]);
    expect(values("Console", false)).toMatch(/one of interactive/);
  });

  test("a single text is taken as it is, a number as its digits", () => {
    expect(values("SELinuxContext", " a b ")).toEqual([" a b "]);
    expect(values("LimitNOFILE", 1024)).toEqual(["1024"]);
    expect(values("LimitNOFILE", 1024n)).toEqual(["1024"]);
    for (const value of [true, ["a"], {}, undefined, null]) expect(values("Hostname", value)).toMatch(/a host name/);
    for (const value of ["-u", "--keep-unit", "a b", "a:b", ""]) expect(values("User", value)).toMatch(/a user of the image/);
    for (const value of ["web", "a b.slice", ".slice", "a/b.slice", ""]) expect(values("Slice", value)).toMatch(/the name of a slice/);
    expect(values("Slice", "a-b\\x2d.slice")).toEqual(["a-b\\x2d.slice"]);
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY, 1.5])("the number %s is no limit", (value) => {
    expect(values("LimitNOFILE", value)).toMatch(/SOFT/);
  });

  test("Infinity is one, but for a nice level", () => {
    expect(values("LimitSTACK", Number.POSITIVE_INFINITY)).toEqual(["infinity"]);
    expect(values("LimitNICE", Number.POSITIVE_INFINITY)).toMatch(/nice levels/);
  });

  test("a user's number is a whole one", () => {
    for (const value of [-1, 1.5]) expect(values("User", value)).toMatch(/a user of the image/);
    expect(values("User", 1000)).toEqual(["1000"]);
  });

  test("lists take one item or several", () => {
    expect(values("Bind", "/a b:/c")).toEqual(["/a b:/c"]);
    expect(values("Bind", ["/a", "/b"])).toEqual(["/a", "/b"]);
    expect(values("Port", 80)).toEqual(["80"]);
    expect(values("Port", ["tcp:80:8080", 443])).toEqual(["tcp:80:8080", "443"]);
    expect(values("Bind", [])).toEqual([]);
  });

  test("the very item of a list that is wrong is told", () => {
    expect(wrong("Bind", ["/a", null])).toMatchObject({ given: null, expected: expect.stringMatching(/^SOURCE/) });
    expect(wrong("Port", [80, 0])).toMatchObject({ given: 0 });
    expect(wrong("Capability", "CAP_CHOWN CAP_NET_ADMN")).toMatchObject({ given: "CAP_NET_ADMN", hint: "did you mean CAP_NET_ADMIN?" });
    // biome-ignore lint/suspicious/noSparseArray: what a script may have by a slip
    expect(wrong("Bind", ["/a", , "/b"])).toMatchObject({ given: undefined });
  });

  test("lists that a .nspawn file writes on one line are taken apart", () => {
    expect(values("Capability", "CAP_CHOWN  CAP_KILL,CAP_BPF")).toEqual(["CAP_CHOWN", "CAP_KILL", "CAP_BPF"]);
    expect(values("MACVLAN", "eth0 eth1:x")).toEqual(["eth0", "eth1:x"]);
    expect(values("BindUser", "anna  ben")).toEqual(["anna", "ben"]);
    expect(values("Parameters", "a 'b c' \"\" d")).toEqual(["a", '"b c"', '""', "d"]);
    expect(values("SystemCallFilter", "~@mount bpf")).toEqual(["~@mount bpf"]);
  });

  test("arguments in an array are taken as they are", () => {
    expect(values("Parameters", ["a b", 'say "hi"', "\\", "", 5])).toEqual(['"a b"', '"say \\"hi\\""', '"\\\\"', '""', "5"]);
    expect(wrong("Parameters", "a 'b")).toMatchObject({ hint: "a quote is not closed" });
  });

  test("the environment comes as an object, a text or a list; a text is one assignment", () => {
    expect(values("Environment", { A: "1", B: 2, C: true, D: "" })).toEqual(["A=1", "B=2", "C=true", "D="]);
    expect(values("Environment", "A=1 B='x y'")).toEqual(["A=1 B='x y'"]);
    expect(values("Environment", ["A=1", "B==x\n"])).toEqual(["A=1", "B==x\n"]);
  });

  test.each([
    [{ "A B": 1 }],
    [{ "": 1 }],
    [{ A: null }],
    [{ A: ["b"] }],
    ["A"],
    ["=1"],
    [["1A=1"]],
    [{ "A=B": 1 }],
    [new Map([["A", "1"]])],
  ])("%j is no environment", (value) => {
    expect(wrong("Environment", value)).toBeInstanceOf(WrongValue);
  });

  test("credentials and properties come as objects, too; values of credentials are then escaped", () => {
    expect(values("SetCredential", { motd: "a\\nb:c" })).toEqual(["motd:a\\\\nb:c"]);
    expect(values("SetCredential", "motd:a\\nb")).toEqual(["motd:a\\nb"]);
    expect(values("LoadCredential", { key: "/etc/key" })).toEqual(["key:/etc/key"]);
    expect(values("Property", { MemoryMax: "1G", TasksMax: 10 })).toEqual(["MemoryMax=1G", "TasksMax=10"]);
    expect(values("Property", "a")).toMatch(/NAME=value/);
  });

  test("CPUs come as a list of numbers", () => {
    expect(values("CPUAffinity", [0, 2])).toEqual(["0,2"]);
    expect(values("CPUAffinity", 3)).toEqual(["3"]);
    expect(values("CPUAffinity", [0, "x"])).toMatch(/0-3,6/);
  });

  test("a word that is nearly right has a hint", () => {
    expect(wrong("Console", "interactiv").hint).toBe("did you mean interactive?");
    expect(wrong("KillSignal", "SIGTRM").hint).toBe("did you mean SIGTERM?");
    expect(wrong("WorkingDirectory", "srv/web").hint).toBe('write "/srv/web"');
    expect(wrong("LimitCPU", "10:5").hint).toMatch(/SOFT may not be above HARD/);
    expect(wrong("Port", "80/tcp").hint).toMatch(/protocol comes first/);
    expect(wrong("Console", "x").hint).toBeUndefined();
  });

  test("NUL is refused everywhere", () => {
    expect(values("SELinuxContext", "a\0")).toMatch(/NUL/);
    expect(values("Environment", { A: "\0" })).toMatch(/NUL/);
    expect(values("Environment", "A=\0")).toMatch(/NUL/);
    expect(values("Bind", ["/a", "/b\0"])).toMatch(/NUL/);
    expect(wrong("Bind", { source: "/b\0" }).hint).toBe("source is wrong");
    for (const name of settingNames) expect(wrong(name, "a=b:\0")).toBeInstanceOf(WrongValue);
  });

  test.each(settingNames)("what %s has read, it reads again", (name) => {
    const { entries, wrong } = entriesOf(name, catalog[name].kind.example);
    expect(wrong).toEqual([]);
    expect(entries).not.toEqual([]);
    for (const entry of entries) expect(entriesOf(entry.name, entry.value)).toEqual({ entries: [entry], wrong: [] });
  });

  test("whatever is read from a text is read again from what it became", () => {
    const text = fc.string({ unit: fc.constantFrom(..." a1:/\\\"'=~,CAP_A\n"), maxLength: 12 });
    fc.assert(
      fc.property(
        fc.constantFrom(...settingNames),
        fc.oneof(
          text,
          text.map((rest) => `/${rest}`),
        ),
        (name, given) => {
          const { entries } = entriesOf(name, given);
          for (const entry of entries) expect(entriesOf(entry.name, entry.value)).toEqual({ entries: [entry], wrong: [] });
        },
      ),
      { numRuns: tries(5000) },
    );
  });

  test("a huge text, as a hostile image may have, is told in time", () => {
    const texts = ["a", "/", "1.", "a ", ":/a", "\\\\", "CAP_CHOWM", "x,", '"'].map((part) => part.repeat(100_000));
    const started = performance.now();
    for (const name of settingNames) {
      for (const text of [...texts, `/a:/b:${texts[7]}`, `A=${texts[5]}`, `a:${texts[5]}`]) entriesOf(name, text);
    }
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test("no value at all crashes it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...settingNames), fc.anything({ withNullPrototype: true, withBigInt: true }), (name, value) => {
        const { entries, wrong } = entriesOf(name, value);
        expect(entries.every((entry) => typeof entry.value === "string" && !entry.value.includes("\0"))).toBe(true);
        expect(wrong.every((one) => one instanceof WrongValue)).toBe(true);
      }),
      { numRuns: tries(3000) },
    );
  });
});

describe("mounts", () => {
  test("a bind can be an object, with colons and backslashes of paths escaped", () => {
    expect(values("Bind", { source: "/a" })).toEqual(["/a"]);
    expect(values("Bind", { source: "/a", target: "/b" })).toEqual(["/a:/b"]);
    expect(values("Bind", { source: "/a", options: ["rbind", "idmap"] })).toEqual(["/a:/a:rbind,idmap"]);
    expect(values("Bind", { source: "+/a", options: "rbind" })).toEqual(["+/a:/a:rbind"]);
    expect(values("Bind", { source: "", target: "/tmp/x" })).toEqual([":/tmp/x"]);
    expect(values("Bind", { source: "/a:b\\c" })).toEqual(["/a\\:b\\\\c"]);
    expect(values("Bind", { source: "/a", target: "/b", options: [] })).toEqual(["/a:/b"]);
  });

  test("readOnly decides which setting it is", () => {
    expect(entriesOf("Bind", { source: "/a", readOnly: true }).entries).toEqual([{ name: "BindReadOnly", value: "/a" }]);
    expect(entriesOf("Bind", { source: "/a", readOnly: false }).entries).toEqual([{ name: "Bind", value: "/a" }]);
    expect(entriesOf("Overlay", [{ lower: "/a", target: "/b", readOnly: true }]).entries).toEqual([
      { name: "OverlayReadOnly", value: "/a::/b" },
    ]);
    expect(entriesOf("BindReadOnly", { source: "/a", readOnly: true }).entries).toEqual([{ name: "BindReadOnly", value: "/a" }]);
  });

  test.each([
    ["BindReadOnly", { source: "/a", readOnly: false }, "Bind takes what can be written to"],
    ["OverlayReadOnly", [{ lower: "/a", target: "/b", readOnly: false }], "Overlay takes what can be written to"],
  ] as const)("%s cannot be writable: %j", (name, value, hint) => {
    expect(wrong(name, value)).toMatchObject({ expected: "what is mounted read-only", hint });
    expect(entriesOf(name, value).entries).toEqual([]);
  });

  test("of a list, all that is wrong is told, and the rest counts", () => {
    const { entries, wrong } = entriesOf("Bind", ["a", "/b", { source: "c" }, null]);
    expect(entries).toEqual([{ name: "Bind", value: "/b" }]);
    expect(wrong.map(({ given }) => given)).toEqual(["a", "c", null]);
    expect(entriesOf("Environment", { "A B": 1, C: 2, "D-E": 3 }).wrong.map(({ given }) => given)).toEqual(["A B", "D-E"]);
    expect(entriesOf("Capability", "CAP_KILL CAP_NOPE nope").wrong).toHaveLength(2);
  });

  test("the paths of a bind come back from its value", () => {
    const path = fc.string({ unit: "binary", maxLength: 12 }).map((text) => `/${text.replaceAll("\0", "")}`);
    fc.assert(
      fc.property(path, path, (source, target) => {
        expect(splitColons(values("Bind", { source, target })[0] ?? "")).toEqual([source, target]);
      }),
    );
  });

  test("overlays and file systems in memory can be objects", () => {
    expect(values("Overlay", { lower: ["/a:1", "/b"], upper: "/c", target: "/d" })).toEqual(["/a\\:1:/b:/c:/d"]);
    expect(values("Overlay", { lower: "/a", target: "/d" })).toEqual(["/a::/d"]);
    expect(values("TemporaryFileSystem", { path: "/a:b", options: ["size=1G", "mode=0700"] })).toEqual(["/a\\:b:size=1G,mode=0700"]);
    expect(values("TemporaryFileSystem", [{ path: "/a" }, "/b"])).toEqual(["/a", "/b"]);
  });

  test.each([
    [{}],
    [{ source: 1 }],
    [{ source: "/a", targte: "/b" }],
    [{ source: "/a", options: 1 }],
    [{ source: "/a", target: null }],
    [{ source: ["/a"] }],
  ])("%j is no bind", (value) => {
    expect(values("Bind", value)).toMatch(/source, target/);
  });

  test("a field that is not there, or nearly, is named", () => {
    expect(wrong("Bind", { target: "/a" }).hint).toBe("source is missing");
    expect(wrong("Bind", { source: "/a", targte: "/b" }).hint).toBe("did you mean target?");
    expect(wrong("Overlay", { lower: "/a" }).hint).toBe("target is missing");
    expect(wrong("Bind", { source: "/a", readOnly: "yes" }).hint).toBe("readOnly is wrong");
  });

  test.each([[{ source: "a" }], [{ source: "/a", target: "b" }], ["a:/b"], [{ source: "" }]])(
    "a bind needs absolute paths, unlike %j",
    (value) => {
      expect(values("Bind", value)).toMatch(/absolute paths/);
    },
  );

  test("an unknown option of a bind is told, with the one that is near", () => {
    expect(wrong("Bind", "/a:/b:rbin")).toMatchObject({ given: "rbin", hint: "did you mean rbind?" });
    expect(wrong("Bind", { source: "/a", options: ["idmap", "nope"] })).toMatchObject({ given: "nope" });
  });
});
