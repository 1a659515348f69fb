import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SettingName } from "../../src/settings/catalog.js";
import { splitColons } from "../../src/settings/colons.js";
import { entriesOf } from "../../src/settings/value.js";

/** Values of the entries, or the message. */
function values(name: SettingName, value: unknown): readonly string[] | string {
  const entries = entriesOf(name, value);
  if (typeof entries === "string") return entries;
  for (const entry of entries) expect(entry.name === name || entry.name === "BindReadOnly").toBe(true);
  return entries.map((entry) => entry.value);
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

  test("a setting that is a boolean or a text takes both", () => {
    expect(values("PrivateUsers", true)).toEqual(["yes"]);
    expect(values("PrivateUsers", false)).toEqual(["no"]);
    expect(values("PrivateUsers", "pick")).toEqual(["pick"]);
    expect(values("PrivateUsers", 65536)).toEqual(["65536"]);
    expect(values("Volatile", "overlay")).toEqual(["overlay"]);
  });

  test("a single text is taken as it is, a number as its digits", () => {
    expect(values("Hostname", " a b ")).toEqual([" a b "]);
    expect(values("LimitNOFILE", 1024)).toEqual(["1024"]);
    for (const wrong of [true, ["a"], {}, undefined]) expect(values("Hostname", wrong)).toMatch(/a text/);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("the number %s is no value", (value) => {
    expect(values("LimitNOFILE", value)).toMatch(/a text/);
  });

  test("lists take one item or several", () => {
    expect(values("Bind", "/a b:/c")).toEqual(["/a b:/c"]);
    expect(values("Bind", ["/a", "/b"])).toEqual(["/a", "/b"]);
    expect(values("Port", 80)).toEqual(["80"]);
    expect(values("Port", ["tcp:80:8080", 443])).toEqual(["tcp:80:8080", "443"]);
    expect(values("Bind", [])).toEqual([]);
    expect(values("Bind", ["/a", null])).toMatch(/a text or a list of texts/);
  });

  test("lists that a .nspawn file writes on one line are taken apart", () => {
    expect(values("Capability", "CAP_A  CAP_B,CAP_C")).toEqual(["CAP_A", "CAP_B", "CAP_C"]);
    expect(values("MACVLAN", "eth0 eth1:x")).toEqual(["eth0", "eth1:x"]);
  });

  test("the environment comes as an object, a text or a list", () => {
    expect(values("Environment", { A: "1", B: 2, C: true, D: "" })).toEqual(["A=1", "B=2", "C=true", "D="]);
    expect(values("Environment", "A=1 2")).toEqual(["A=1 2"]);
    expect(values("Environment", ["A=1", "B==x\n"])).toEqual(["A=1", "B==x\n"]);
  });

  test.each([[{ "A B": 1 }], [{ "": 1 }], [{ A: null }], ["A"], ["=1"], [["1A=1"]], [{ "A=B": 1 }]])("%j is no environment", (value) => {
    expect(typeof values("Environment", value)).toBe("string");
  });

  test("a bind can be an object, with colons and backslashes of paths escaped", () => {
    expect(values("Bind", { source: "/a" })).toEqual(["/a"]);
    expect(values("Bind", { source: "/a", target: "/b" })).toEqual(["/a:/b"]);
    expect(values("Bind", { source: "/a", options: ["rbind", "idmap"] })).toEqual(["/a:/a:rbind,idmap"]);
    expect(values("Bind", { source: "/a:b\\c" })).toEqual(["/a\\:b\\\\c"]);
    expect(entriesOf("Bind", { source: "/a", readOnly: true })).toEqual([{ name: "BindReadOnly", value: "/a" }]);
  });

  test("the paths of a bind come back from its value", () => {
    const path = fc.string({ unit: "binary", maxLength: 12 }).map((text) => `/${text.replaceAll("\0", "")}`);
    fc.assert(
      fc.property(path, path, (source, target) => {
        expect(splitColons(values("Bind", { source, target })[0] ?? "")).toEqual([source, target]);
      }),
    );
  });

  test.each([[{}], [{ source: 1 }], [{ source: "/a", targte: "/b" }], [{ source: "/a", options: 1 }], [{ source: "/a", target: null }]])(
    "%j is no bind",
    (value) => {
      expect(values("Bind", value)).toMatch(/source, target/);
    },
  );

  test.each([[{ source: "a" }], [{ source: "/a", target: "b" }]])("a bind needs absolute paths, unlike %j", (value) => {
    expect(values("Bind", value)).toMatch(/absolute paths/);
  });

  test("NUL is refused everywhere", () => {
    expect(values("Hostname", "a\0")).toMatch(/NUL/);
    expect(values("Environment", { A: "\0" })).toMatch(/NUL/);
    expect(values("Bind", ["/a", "/b\0"])).toMatch(/NUL/);
  });
});
