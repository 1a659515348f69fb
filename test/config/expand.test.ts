import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expander } from "../../src/config/expand.js";
import { anyText } from "../support/arbitrary.js";

/** Expands the first of the values, which are given as `section:key`. */
function expand(values: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
  const raw = Object.entries(values).map(([name, text]) => [name, { section: name.replace(/:.*/, ""), text }] as const);
  return expander(new Map(raw), environment)(Object.keys(values)[0] ?? "");
}

describe("expander", () => {
  test.each([
    [{ "a:x": "1${b:y}2", "b:y": "-" }, "1-2"],
    [{ "a:x": "${y}", "a:y": "same section" }, "same section"],
    [{ "a:x": "${b/c.d-e:y}", "b/c.d-e:y": "${z}", "b/c.d-e:z": "deep" }, "deep"],
    [{ "a:x": "$HOME/$NAME.x" }, "/root/web.x"],
    [{ "a:x": "$$HOME $${a:x} $$$$ 5$ $5 $" }, "$HOME ${a:x} $$ 5$ $5 $"],
    [{ "a:x": "${y}${y}", "a:y": "twice " }, "twice twice "],
    [{ "a:x": "${y}", "a:y": "$DOLLAR" }, "$HOME"],
  ])("%j gives %j", (values, text) => {
    expect(expand(values, { HOME: "/root", NAME: "web", DOLLAR: "$HOME" })).toEqual({ text });
  });

  test.each([
    [{ "a:x": "${b:y}" }, "${b:y} is not set anywhere"],
    [{ "a:x": "${y}" }, "${a:y} is not set anywhere"],
    [{ "a:x": "${HOME}" }, "${a:HOME} is not set anywhere; $HOME is the variable of the environment"],
    [{ "a:x": "$NOPE" }, "the environment has no variable NOPE; a $ itself is written $$"],
    [{ "a:x": "${b:y" }, "${b:y has no closing }"],
    [{ "a:x": "${x}" }, "the value refers to itself: a:x → a:x"],
    [{ "a:x": "${b:y}", "b:y": "${a:z}", "a:z": "${x}" }, "the value refers to itself: a:x → b:y → a:z → a:x"],
  ])("%j is wrong: %s", (values, wrong) => {
    expect(expand(values, { HOME: "/root" })).toEqual({ wrong });
  });

  test.each([
    ["pa$Tail99", "a $ in it names no variable of the environment; a $ itself is written $$"],
    ["pa${Tail99}", "a reference in it cannot be followed; a $ itself is written $$"],
    ["pa${Tail99", "a reference in it has no closing }; a $ itself is written $$"],
    ["${x}Tail99", "a reference in it cannot be followed; a $ itself is written $$"],
  ])("of a secret such as %s nothing is told", (text, wrong) => {
    const values = new Map([
      ["a:x", { section: "a", text, secret: true }],
      ["a:y", { section: "a", text: "<${x}>" }],
    ]);
    for (const name of ["a:x", "a:y"]) expect(expander(values, {})(name)).toEqual({ wrong });
  });

  test("no part of a secret is in a message", () => {
    const secret = fc.array(fc.constantFrom("$", "{", "}", ":", "x", "Qq", "Zz9"), { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(secret, (text) => {
        const expanded = expander(new Map([["a:x", { section: "a", text, secret: true }]]), {})("a:x");
        if ("wrong" in expanded) expect(expanded.wrong).not.toMatch(/Qq|Zz9/);
      }),
    );
  });

  test("a verbatim value is taken as it is, by others too", () => {
    const values = new Map([
      ["a:x", { section: "a", text: "$$ ${nope}", verbatim: true }],
      ["a:y", { section: "a", text: "<${x}>" }],
    ]);
    expect(expander(values, {})("a:y")).toEqual({ text: "<$$ ${nope}>" });
  });

  test("any text with its dollars doubled comes back", () => {
    fc.assert(fc.property(anyText, (text) => void expect(expand({ "a:x": text.replaceAll("$", "$$$$") })).toEqual({ text })));
  });

  test("values that refer to each other at will end in a text or in a message", () => {
    const values = fc.dictionary(fc.constantFrom("a:x", "a:y", "b:x"), fc.constantFrom("1", "${x}", "${a:y}", "${b:x}${a:x}", "${c:z}"), {
      minKeys: 1,
    });
    fc.assert(fc.property(values, (some) => void expect(Object.values(expand(some))).toHaveLength(1)));
  });
});
