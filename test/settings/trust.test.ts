import { describe, expect, test } from "vitest";
import type { SettingName } from "../../src/settings/catalog.js";
import type { Setting } from "../../src/settings/merge.js";
import { type Grant, ungranted } from "../../src/settings/trust.js";

const setting = (name: SettingName, value: string, origin = "https://h/a.tar.gz"): Setting => ({ name, value, origin });
const grant = (names: readonly SettingName[] = [], trusts: Grant["trusts"] = () => false): Grant => ({
  script: "/srv/setup.ts",
  repeated: [],
  names,
  trusts,
});

describe("ungranted", () => {
  test("what opens the host is refused, the rest is not", () => {
    const settings = [setting("Boot", "yes"), setting("Bind", "/:/host"), setting("Environment", "A=1"), setting("Port", "80")];
    expect(ungranted(settings, grant()).map(({ name }) => name)).toEqual(["Bind", "Port"]);
  });

  test("a grant by name counts for that name only", () => {
    const settings = [setting("Bind", "/a"), setting("BindReadOnly", "/a")];
    expect(ungranted(settings, grant(["Bind"])).map(({ name }) => name)).toEqual(["BindReadOnly"]);
  });

  test("what the script repeats needs no grant, another value of that setting does", () => {
    const settings = [setting("Bind", "/a"), setting("Bind", "/b")];
    const repeated = [{ name: "Bind" as const, value: "/a" }];
    expect(ungranted(settings, { ...grant(), repeated }).map(({ value }) => value)).toEqual(["/b"]);
  });

  test("the script's own settings need no grant", () => {
    expect(ungranted([setting("Bind", "/a", "/srv/setup.ts")], grant())).toEqual([]);
  });

  test("images that are trusted need no grant", () => {
    const settings = [setting("Bind", "/a", "file:///x.tar.gz"), setting("Bind", "/b")];
    expect(
      ungranted(
        settings,
        grant([], (origin) => origin.startsWith("file:")),
      ).map(({ value }) => value),
    ).toEqual(["/b"]);
  });

  test("a list of system calls may deny, not allow", () => {
    const settings = [setting("SystemCallFilter", "~@mount"), setting("SystemCallFilter", "@mount"), setting("SystemCallFilter", " ~x")];
    expect(ungranted(settings, grant()).map(({ value }) => value)).toEqual(["@mount", " ~x"]);
  });
});
