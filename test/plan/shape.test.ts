import { describe, expect, test } from "vitest";
import { argv, listOf, Mismatch, object, oneOf, optional, showGiven, text } from "../../src/plan/shape.js";

describe("checkers", () => {
  test("text takes what is not empty and has no NUL", () => {
    expect(text("a text")("x")).toBe("x");
    for (const value of ["", "a\0b", 1, null, undefined, ["x"]]) expect(text("a text")(value)).toBeInstanceOf(Mismatch);
  });

  test("argv takes a program and arguments that may be empty", () => {
    expect(argv(["sh", "", "-c"])).toEqual(["sh", "", "-c"]);
    for (const value of [[], [""], "sh -c", ["sh", 1], ["sh", "a\0"], ["sh", undefined], [undefined], null])
      expect(argv(value), showGiven(value)).toBeInstanceOf(Mismatch);
  });

  test("argv refuses a list with holes", () => {
    const holes = ["sh"];
    holes[2] = "x";
    expect(argv(holes)).toBeInstanceOf(Mismatch);
  });

  test("lists name the item that is wrong", () => {
    expect(listOf(text("a text"), "a list")(["a", "b"])).toEqual(["a", "b"]);
    expect(listOf(text("a text"), "a list")(["a", 7])).toMatchObject({ expected: "a text", given: 7 });
    expect(listOf(text("a text"), "a list")("a")).toMatchObject({ expected: "a list" });
  });

  test("oneOf and optional", () => {
    expect(oneOf("a", "b")("b")).toBe("b");
    expect(oneOf("a", "b")("c")).toMatchObject({ expected: "one of a, b" });
    expect(optional(oneOf("a"))(undefined)).toBeUndefined();
    expect(optional(oneOf("a"))(null)).toBeInstanceOf(Mismatch);
  });

  test("an object has its fields and no others", () => {
    const checker = object({ name: text("a name"), state: optional(oneOf("x")) }, "an object");
    expect(checker({ name: "a" })).toEqual({ name: "a", state: undefined });
    expect(checker({ name: "a", nam: 1 })).toMatchObject({ expected: 'an object; it has no field "nam"' });
    expect(checker({ name: 1 })).toMatchObject({ expected: "name: a name", given: 1 });
    for (const value of [[], null, "a", undefined]) expect(checker(value)).toBeInstanceOf(Mismatch);
  });

  test("fields that every object inherits are no fields", () => {
    expect(object({ name: text("a name") }, "an object")(JSON.parse('{"name":"a","__proto__":1}'))).toBeInstanceOf(Mismatch);
    expect(object({ toString: text("a name") }, "an object")({})).toBeInstanceOf(Mismatch);
  });
});

describe("showGiven", () => {
  test("anything is shown on one short line", () => {
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    const values = [1n, Symbol("s"), () => 1, loop, undefined, null, "a\nb", { a: ["x".repeat(500)] }, Number.NaN, new Date(0), new Map()];
    for (const value of values) {
      const shown = showGiven(value);
      expect(shown).not.toContain("\n");
      expect(shown.length).toBeLessThanOrEqual(80);
      expect(shown).not.toBe("");
    }
  });
});
