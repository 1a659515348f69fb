import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalog, isList, isSettingName, rowOf, settingNames } from "../../src/settings/catalog.js";

type Row = {
  readonly section: string;
  readonly name: string;
  readonly options: readonly string[];
  readonly since: number;
  readonly privileged: string;
};

/** The table of the design: one line for each setting. */
function table(): readonly Row[] {
  const [, ...lines] = readFileSync(new URL("../fixtures/settings.tsv", import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const [section = "", name = "", option = "", since = "", , privileged = ""] = line.split("\t");
    // "259 (CLI 236)": of the file and of the option; the option counts here.
    const version = /CLI (\d+)/.exec(since)?.[1] ?? /\d+/.exec(since)?.[0];
    return {
      section: section === "(option)" ? "option" : section,
      name,
      options: option.match(/(?<![\w-])--?[A-Za-z][\w-]*(=RLIMIT_\w+)?/g) ?? [],
      since: Number(version),
      privileged: privileged === "allow-list only" ? "allow-list" : privileged,
    };
  });
}

describe("the catalog", () => {
  test("it has the settings of the table, all of them and no others", () => {
    expect(Object.keys(catalog).sort()).toEqual(
      table()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test.each(table())("$name is in $section since $since, privileged: $privileged", ({ section, name, options, since, privileged }) => {
    const row = rowOf(name);
    expect(row).toMatchObject({ section, since, privileged });
    if (row?.form === "positional") expect(row.option).toBe("");
    else expect(options).toContain(row?.option);
  });

  test("names of other things are no settings", () => {
    for (const name of ["toString", "__proto__", "constructor", "boot", "", "Bind "]) {
      expect(isSettingName(name)).toBe(false);
      expect(rowOf(name)).toBeUndefined();
    }
  });

  test("lists are those that can be given more than once", () => {
    const lists = settingNames.filter(isList);
    expect(lists.toSorted()).toEqual(
      [
        ...["AmbientCapability", "Bind", "BindReadOnly", "BindUser", "BindUserGroup", "Capability", "DropCapability", "Environment"],
        ...["IPVLAN", "Inaccessible", "Interface", "LoadCredential", "MACVLAN", "Overlay", "OverlayReadOnly", "Parameters", "Port"],
        ...["Property", "RestrictAddressFamilies", "SetCredential", "SystemCallFilter", "TemporaryFileSystem", "VirtualEthernetExtra"],
      ].sort(),
    );
  });

  test("a setting for what is read-only is one of the same kind", () => {
    const names = settingNames.flatMap((name) => catalog[name].readOnlyName ?? []);
    expect(names).toEqual(["BindReadOnly", "OverlayReadOnly"]);
    for (const name of names) expect(isSettingName(name)).toBe(true);
  });
});
