import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  argv as argvOr,
  type Cause,
  listOf,
  Mismatch,
  matching,
  never,
  object,
  oneOf,
  optional,
  showGiven,
  text,
  unlike,
} from "../../src/plan/shape.js";

const argv = argvOr((script) => `SH(${script})`);

/** All that is wrong, as `path: message | hint | near`, without what there is none of. */
function causes(checked: unknown): readonly string[] {
  expect(checked).toBeInstanceOf(Mismatch);
  return (checked as Mismatch).causes.map(({ path, message, hint, near }) => [path, message, hint, near].filter(Boolean).join(" | "));
}

describe("checkers", () => {
  test("text takes what is not empty and has no NUL", () => {
    expect(text("a text")("x")).toBe("x");
    for (const value of ["", "a\0b", 1, null, undefined, ["x"]]) expect(text("a text")(value)).toBeInstanceOf(Mismatch);
    expect(causes(text("a name")(7))).toEqual(["expected a name, got 7 | 7"]);
  });

  test("matching takes the whole text", () => {
    expect(matching(/^a+$/, "some a")("aa")).toBe("aa");
    for (const value of ["ab", "", 1, ["a"], { toString: () => "a" }]) expect(matching(/^a+$/, "some a")(value)).toBeInstanceOf(Mismatch);
  });

  test("argv takes a program and arguments that may be empty", () => {
    expect(argv(["sh", "", "-c"])).toEqual(["sh", "", "-c"]);
    for (const value of [[], [""], "sh -c", ["sh", 1], ["sh", "a\0"], ["sh", undefined], [undefined], null])
      expect(argv(value), showGiven(value)).toBeInstanceOf(Mismatch);
  });

  test("argv refuses a list with holes", () => {
    const holes = ["sh"];
    holes[2] = "x";
    expect(causes(argv(holes))).toEqual(["[1] | expected a text, got nothing"]);
  });

  test("lists name the items that are wrong", () => {
    const list = listOf(text("a text"), "a list");
    expect(list(["a", "b"])).toEqual(["a", "b"]);
    expect(causes(list(["a", 7]))).toEqual(["[1] | expected a text, got 7 | 7"]);
    expect(causes(list([1, "a", null]))).toEqual(["[0] | expected a text, got 1 | 1", "[2] | expected a text, got null | null"]);
    expect(causes(list("a"))).toEqual(['expected a list, got "a" | a']);
    expect(causes(listOf(list, "lists")([["a"], ["b", 3]]))).toEqual(["[1][1] | expected a text, got 3 | 3"]);
  });

  test("oneOf and optional", () => {
    expect(oneOf("a", "b")("b")).toBe("b");
    expect(causes(oneOf("keep", "volatile")("kep"))).toEqual(['expected one of keep, volatile, got "kep" | did you mean keep? | kep']);
    expect(causes(oneOf("keep", "volatile")("x"))).toEqual(['expected one of keep, volatile, got "x" | x']);
    expect(optional(oneOf("a"))(undefined)).toBeUndefined();
    expect(optional(oneOf("a"))(null)).toBeInstanceOf(Mismatch);
  });

  test("never takes nothing", () => {
    expect(never("not here")(undefined)).toBeUndefined();
    expect(causes(never("not here")(null))).toEqual(["not here"]);
  });

  test("an object has its fields and no others", () => {
    const checker = object({ name: text("a name"), state: optional(oneOf("x")) }, "an object");
    expect(checker({ name: "a" })).toEqual({ name: "a", state: undefined });
    expect(causes(checker({ name: "a", nam: 1 }))).toEqual(['there is no field "nam" | did you mean name? | nam']);
    expect(causes(checker({ name: "a", size: 1 }))).toEqual(['there is no field "size" | the fields are name, state | size']);
    expect(causes(checker({ name: 1 }))).toEqual(["name | expected a name, got 1 | 1"]);
    expect(causes(checker({ size: 1 }))).toEqual([
      'there is no field "size" | the fields are name, state | size',
      'the field "name" is missing | the call is an object',
    ]);
    expect(causes(checker({}))).toEqual(['the field "name" is missing | the call is an object']);
    for (const value of [[], null, "a", undefined])
      expect(causes(checker(value))).toEqual([expect.stringMatching(/^expected an object, got /)]);
  });

  test("all that is wrong with an object is told, with the way to it", () => {
    const checker = object({ name: text("a name"), list: listOf(object({ id: text("an id") }, "an item"), "a list") }, "an object");
    expect(causes(checker({ nmae: "a", list: [{ id: "x" }, { id: 5 }, "y"] }))).toEqual([
      'there is no field "nmae" | did you mean name? | nmae',
      "list[1].id | expected an id, got 5 | 5",
      'list[2] | expected an item, got "y" | y',
    ]);
  });

  test("fields that every object inherits are no fields", () => {
    expect(causes(object({ name: text("a name") }, "an object")(JSON.parse('{"name":"a","__proto__":1}')))).toEqual([
      'there is no field "__proto__" | the fields are name | __proto__',
    ]);
    expect(causes(object({ toString: text("a name") }, "an object")({}))).toEqual([
      'the field "toString" is missing | the call is an object',
    ]);
  });

  test("the path of a cause grows from the inside", () => {
    const inner = new Mismatch([{ path: "", message: "m" }]);
    const paths = (mismatch: Mismatch): readonly string[] => mismatch.causes.map(({ path }: Cause) => path);
    expect(paths(inner.within("[2]"))).toEqual(["[2]"]);
    expect(paths(inner.within("[2]").within("packages"))).toEqual(["packages[2]"]);
    expect(paths(inner.within("id").within("item"))).toEqual(["item.id"]);
  });

  test("the text that is wrong is told where the script may have it", () => {
    const near = (given: unknown): string | undefined => unlike("x", given).causes[0]?.near;
    expect([near("a"), near(1.5), near(false), near(null)]).toEqual(["a", "1.5", "false", "null"]);
    expect([near({}), near(["a"]), near(undefined), near(Symbol("a")), near(1n)]).toEqual(Array(5).fill(undefined));
  });
});

describe("showGiven", () => {
  test("anything is shown on one short line", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    const bare = Object.assign(Object.create(null), { a: 1n });
    const values = [
      1n,
      Symbol("s\n"),
      () => 1,
      loop,
      bare,
      undefined,
      null,
      "a\nb",
      { a: ["x".repeat(500)] },
      Number.NaN,
      new Date(0),
      new Map(),
    ];
    for (const value of [...values, new Error("a\nb"), { toJSON: () => JSON.parse("{") }, new Proxy({}, {}), /x/]) {
      const shown = showGiven(value);
      expect(shown).not.toContain("\n");
      expect(shown.length).toBeLessThanOrEqual(80);
      expect(shown).not.toBe("");
    }
  });

  test.each([
    [undefined, "nothing"],
    [null, "null"],
    [Number.NaN, "NaN"],
    [7, "7"],
    [7n, "7n"],
    ["7", '"7"'],
    [() => 7, "a function"],
    [{ a: [1] }, '{"a":[1]}'],
    [new Map([["a", 1]]), "Map(1) { 'a' => 1 }"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [Symbol("a"), "Symbol(a)"],
  ])("%o is shown as %s", (value, shown) => {
    expect(showGiven(value)).toBe(shown);
  });

  test("never a throw, a line break or a long text, whatever is given", () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true });
    fc.assert(
      fc.property(anything, (value) => {
        const shown = showGiven(value);
        expect(shown).toMatch(/^[^\n\r]{1,80}$/);
      }),
    );
  });
});
