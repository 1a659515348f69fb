import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderPlain } from "../../src/template/plain.js";
import { anyText } from "../support/arbitrary.js";
import { byMiniJinja } from "../support/by-minijinja.js";
import { tries } from "../support/tries.js";

/** The same where minijinja takes the template; undefined if it is an error to it. */
function unlessWrong(source: string, variables: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return byMiniJinja(source, variables);
  } catch {
    return undefined;
  }
}

const names = ["a", "b", "list", "self", "loop", "range", "dict", "true", "none", "_x", "ab1", "length", "items", "constructor", "ü"];
const value: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.array(anyText, { maxLength: 3 }),
  fc.constantFrom<unknown>(0, 1.5, true, null, "<&>", ["x", 1], {}),
);
const variables = fc.dictionary(
  fc.constantFrom(...names),
  fc.oneof(value, fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 })),
  { maxKeys: 8 },
);
const space = fc.constantFrom("", "", " ", " ", "  ", "\n", "\t", "\r\n", "\f", "\v", "\u00a0", "\ufeff");
const literal = fc.constantFrom('", "', "','", '""', '"\n"', '"}}"', "' '", '"\\n"', '"ü"');
const expression = fc
  .tuple(
    fc.constantFrom("{{", "{{", "{{-", "{{+"),
    space,
    fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 2 }),
    fc.oneof(
      fc.constant(""),
      fc.tuple(space, space, literal, space).map(([x, y, text, z]) => `${x}|${y}join(${z}${text})`),
      fc.constantFrom(" | join", " | upper", "()", "[0]", " ~ a"),
    ),
    space,
    fc.constantFrom("}}", "}}", "-}}"),
  )
  .map(([open, before, path, filter, after, close]) => `${open}${before}${path.join(".")}${filter}${after}${close}`);
const piece = fc.oneof(
  { weight: 3, arbitrary: expression },
  anyText,
  fc.constantFrom("{", "}", "{#", "#}", "{{ '", "{% if a %}", "{% endif %}", "{% raw %}{{ a }}{% endraw %}", "\n", "\r\n", "  \n"),
);
const template = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

describe("a template of nothing but names", () => {
  test("becomes what minijinja makes of it, or is left to that", () => {
    let rendered = 0;
    fc.assert(
      fc.property(template, variables, (source, values) => {
        const text = renderPlain(source, values);
        if (text === undefined) return;
        rendered++;
        expect(text).toBe(unlessWrong(source, values));
      }),
      { numRuns: tries(4000) },
    );
    expect(rendered).toBeGreaterThan(tries(4000) / 20);
  });

  test.each([
    ["<h1>{{ title }}</h1>\n", "<h1>Hello</h1>\n"],
    ['{{ list | join(", ") }}', "one, two"],
    ["{{list|join('')}}{{ a.b }} }", "onetwo< }"],
    ["", ""],
    ["{ title }", "{ title }"],
  ])("%j becomes %j", (source, text) => {
    const values = { title: "Hello", list: ["one", "two"], a: { b: "<" } };
    expect(renderPlain(source, values)).toBe(text);
    expect(byMiniJinja(source, values)).toBe(text);
  });

  test.each([
    "{{ missing }}",
    "{{ number }}",
    "{{ mixed | join('') }}",
    "{{ title | join('') }}",
    "{{ title.length }}",
    "{{ title | upper }}",
    "{{ toString }}",
    "{{- title }}",
    "{{ title +}}",
    "{{ title",
    "{# #}",
    "{% if title %}{% endif %}",
    "{% raw %}{% endraw %}",
    "{{ 'text' }}",
    "{{ half }}",
    "{{\u00a0title }}",
  ])("%j is left to minijinja", (source) => {
    expect(renderPlain(source, { title: "Hello", number: 1, mixed: ["a", 1], half: "\ud800" })).toBeUndefined();
  });
});
