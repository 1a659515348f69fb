import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archivePath, sourcePath, targetPath, variables } from "../../src/plan/fields.js";
import { Mismatch } from "../../src/plan/shape.js";

describe("variables of a template", () => {
  const wrong = (given: unknown): readonly string[] => {
    const checked = variables(given);
    return checked instanceof Mismatch ? checked.causes.map(({ path, message }) => `${path}: ${message}`) : [];
  };
  const got = (path: string, shown: string): string =>
    `${path}: expected what a template can show (texts, numbers, booleans, null, lists and objects of them), got ${shown}`;

  test("texts, numbers, booleans, null, lists and objects of them are taken as they are", () => {
    const shared = { name: "x" };
    const given = {
      text: "",
      number: 0,
      flag: false,
      nothing: null,
      absent: undefined,
      list: [1, ["a", null], { b: true }],
      deep: { a: { b: { c: [] } } },
      bare: Object.assign(Object.create(null), { a: 1 }),
      // Twice, but not within itself.
      first: shared,
      second: [shared, shared],
    };
    expect(variables(given)).toBe(given);
  });

  test.each([
    ["a function", { f: () => 1 }, [got("f", "a function")]],
    ["a symbol", { s: Symbol("x") }, [got("s", "Symbol(x)")]],
    ["what is no number", { n: Number.NaN, m: [Number.POSITIVE_INFINITY] }, [got("n", "NaN"), got("m[0]", "Infinity")]],
    ["a bigint", { b: 1n }, [got("b", "1n")]],
    ["a Date", { d: new Date(0) }, [got("d", "1970-01-01T00:00:00.000Z")]],
    ["a Map", { m: new Map([["a", 1]]) }, [got("m", "Map(1) { 'a' => 1 }")]],
    ["a Set in a list", { l: [1, new Set()] }, [got("l[1]", "Set(0) {}")]],
    ["an object of a class", { o: { p: new URL("https://h/") } }, [expect.stringContaining("o.p: expected what a template can show")]],
    ["several", { a: { b: [() => 1, 2n] }, c: 1n }, [got("a.b[0]", "a function"), got("a.b[1]", "2n"), got("c", "1n")]],
    ["a whole Map", new Map(), [got("", "Map(0) {}")]],
  ])("%s is refused, with the way to it", (_what, given, why) => {
    expect(wrong(given)).toEqual(why);
  });

  test("a Date is told what to do", () => {
    const checked = variables({ d: new Date(0) });
    expect(checked).toMatchObject({ causes: [{ hint: "make it a text before, as by toISOString()" }] });
  });

  test("what contains itself is refused, and looked at once", () => {
    const loop: Record<string, unknown> = { a: 1 };
    loop.self = loop;
    const list: unknown[] = [];
    list.push({ list });
    expect(wrong({ loop, list })).toEqual([
      expect.stringMatching(/^loop\.self: .*got an object that contains itself$/),
      expect.stringMatching(/^list\[0\]\.list: .*contains itself$/),
    ]);
    expect(wrong(loop)).toEqual([expect.stringMatching(/^self: .*contains itself$/)]);
  });

  test("all of JSON can be shown", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
        expect(variables(given)).toBe(given);
      }),
    );
  });

  test("whatever else is given is refused or taken, never thrown at", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true }), (given) => {
        const checked = variables(given);
        if (checked instanceof Mismatch) expect(checked.causes.length).toBeGreaterThan(0);
        else expect(checked).toBe(given);
      }),
    );
  });
});

describe("paths", () => {
  const anyPath = fc.array(fc.constantFrom("..", ".", "", "a", "b c", "..a", "ö"), { maxLength: 6 }).map((parts) => parts.join("/"));

  test("what is taken stays inside, and is in one spelling", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        for (const checker of [sourcePath, archivePath]) {
          const checked = checker(path);
          if (path === "" || path.split("/").includes("..")) expect(checked).toBeInstanceOf(Mismatch);
          else expect(checked).toMatch(/^\/($|(?!\.\.?(\/|$))[^/]+(\/(?!\.\.?(\/|$))[^/]+)*$)/);
        }
      }),
    );
  });

  test("a target is absolute, has no .. left, and the hint of one that is not is right itself", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const checked = targetPath(path);
        if (path.startsWith("/")) {
          expect(checked).toMatch(/^\//);
          expect(String(checked).split("/")).not.toContain("..");
          return;
        }
        expect(checked).toBeInstanceOf(Mismatch);
        const hint = (checked as Mismatch).causes[0]?.hint;
        if (path === "") expect(hint).toBeUndefined();
        else {
          const proposed: unknown = JSON.parse(String(hint).replace(/^write /, ""));
          expect(targetPath(proposed)).toBe(proposed);
        }
      }),
    );
  });
});
