import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTemplate } from "../../src/template/compile.js";
import { isTrue } from "../../src/template/truth.js";
import { byMiniJinja } from "../support/by-minijinja.js";
import { tries } from "../support/tries.js";

type Variables = Readonly<Record<string, string | number | readonly unknown[]>>;

/** What the statements put into `text`. */
function run(source: string, variables: Variables): string {
  const body = compileTemplate(source).join("\n");
  return new Function("v", "isTrue", body)(variables, isTrue);
}

/** Pieces of templates that are closed, in any order, in each other or not. */
const text = fc.string({ unit: fc.constantFrom("a", " ", "\n", "\r", "`", "$", "\\", '"', "}", "ü"), maxLength: 6 });
const dash = fc.constantFrom("", "-");
const tag = (inside: string): fc.Arbitrary<string> => fc.tuple(dash, dash).map(([left, right]) => `{%${left} ${inside} ${right}%}`);
const { template } = fc.letrec<{ template: string; piece: string }>((tie) => ({
  template: fc.array(tie("piece"), { maxLength: 5 }).map((pieces) => pieces.join("")),
  piece: fc.oneof(
    { depthSize: "small" },
    text,
    fc.constantFrom("{{ name }}", "{{- name -}}", "{{ number }}", "{{ name -}}"),
    fc
      .tuple(
        fc
          .constantFrom("if name", "if none", "if not list", "if list", "if number >= 5", "if number >= 6", 'if name == "x"')
          .chain((word) => tag(word)),
        tie("template"),
        fc.option(tag("else")),
        tie("template"),
        tag("endif"),
      )
      .map(([begin, yes, otherwise, no, end]) => `${begin}${yes}${otherwise === null ? "" : `${otherwise}${no}`}${end}`),
    fc
      .tuple(
        tag("for item in list"),
        tie("template"),
        fc.constantFrom("", "{{ item.name }}", "{% if not loop.last %}, {% endif %}"),
        tag("endfor"),
      )
      .map((parts) => parts.join("")),
  ),
}));

describe("a template that is compiled", () => {
  test("becomes the same as by minijinja", () => {
    const variables = { name: "x", none: "", number: 5, list: [{ name: "one" }, { name: "`${two}" }], empty: [] };
    fc.assert(
      fc.property(template, (source) => {
        expect(run(source, variables)).toBe(byMiniJinja(source, variables));
      }),
      { numRuns: tries(300) },
    );
  });

  test.each([
    "{{ a | upper }}",
    "{{ a }}{% endif %}",
    "{% if a %}",
    "{% for a in b %}{% endif %}{% endfor %}",
    "{% for a, b in c %}{% endfor %}",
    "{% set a = 1 %}",
    "{% include 'a' %}",
    "{% if a and b %}{% endif %}",
    "{% if a >= b %}{% endif %}",
    "{% for a in b %}{{ loop.index }}{% endfor %}",
    "{{ loop.last }}",
    "{{ a() }}",
    "{# a #}",
    "{% raw %}a{% endraw %}",
    "a {{ b",
    "{% else %}",
    "{% for a in b %}{% else %}{% endfor %}",
    "{% if a %}{% else %}{% else %}{% endif %}",
    "{% if a %}{% else x %}{% endif %}",
    "{% if a %}{% endif x %}",
    "{% if a >= 1.5 %}{% endif %}",
    "{% if a >= 1e %}{% endif %}",
  ])("%s is none that can be", (source) => {
    expect(() => compileTemplate(source)).toThrow();
  });
});
