import { describe, expect, test } from "vitest";
import type { Call, Keyword, ScriptKind } from "../../src/dsl/call.js";
import { type Parsed, parseCalls } from "../../src/plan/parse.js";

const at = { file: "/srv/web/build.ts", line: 3 };

function parse(kind: ScriptKind, keyword: Keyword, ...args: readonly unknown[]): Parsed {
  const call: Call = { keyword, args, at };
  return parseCalls({ path: at.file, folder: "/srv/web", kind, calls: [call] });
}

describe("calls from plain JavaScript", () => {
  const kinds: { readonly [K in Keyword]: ScriptKind } = {
    IMAGE: "setup",
    PULL: "build",
    BOOTSTRAP: "build",
    MACHINE: "setup",
    EXEC: "build",
    WITH: "build",
    FETCH: "build",
    COPY: "build",
    CAST: "build",
    RUN: "build",
    SH: "build",
    PUSH: "build",
  };
  const noSettings: readonly unknown[] = [{}, Object.create(null)];
  const odd = [...noSettings, null, 1, "", [], () => 1, Symbol("s"), 1n, Number.NaN, true, new Date(0), new Map(), [[]], new Array(1)];

  test.each(Object.entries(kinds) as [Keyword, ScriptKind][])(
    "%s with whatever: a problem with place and keyword, never a throw",
    (keyword, kind) => {
      const wrong = [...odd, ...(keyword === "PUSH" ? [] : [undefined])];
      for (const value of wrong) {
        // No settings are settings, too.
        const isRight = keyword === "WITH" && noSettings.includes(value);
        const { problems, steps } = parse(kind, keyword, value);
        if (isRight) expect(problems).toEqual([]);
        else expect(problems.length, String(typeof value)).toBeGreaterThan(0);
        expect(steps).toHaveLength(isRight || keyword === "PUSH" ? 1 : 0);
        for (const { message, at: place } of problems) {
          expect(message).toMatch(new RegExp(`^${keyword}: \\S`));
          expect(place).toEqual(at);
        }
      }
    },
  );

  test("PUSH() takes nothing, and undefined is nothing", () => {
    expect(parse("build", "PUSH").problems).toEqual([]);
    expect(parse("build", "PUSH", undefined).problems).toEqual([]);
  });

  test("fields that hold whatever are problems, too, with the field's name", () => {
    const fields: readonly (readonly [Keyword, object, string])[] = [
      ["PULL", { url: "https://h/a.tar.gz" }, "digest"],
      ["MACHINE", { name: "web" }, "serviceConf"],
      ["MACHINE", { name: "web" }, "state"],
      ["BOOTSTRAP", { distribution: "debian", release: "sid" }, "packages"],
      ["FETCH", { url: "https://h/a.tar.gz" }, "path"],
      ["COPY", { source: "/a" }, "target"],
      ["SH", {}, "script"],
    ];
    for (const [keyword, given, field] of fields) {
      for (const value of odd) {
        const isEmptyList = Array.isArray(value) && value.length === 0 && (field === "serviceConf" || field === "packages");
        const found = parse(kinds[keyword], keyword, { ...given, [field]: value }).problems.map(({ message }) => message);
        if (isEmptyList) expect(found).toEqual([]);
        else expect(found.join("\n"), `${keyword} ${field}`).toMatch(new RegExp(`^${keyword}: ${field}(\\[0\\])?: expected `));
      }
    }
  });
});
