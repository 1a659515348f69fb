import fc from "fast-check";
import { Environment } from "minijinja-js";
import { describe, expect, test } from "vitest";
import { prepareSource } from "../../src/template/source.js";
import { tries } from "../support/tries.js";

const variables = { a: "A", n: 3, list: [1, 2], deep: { er: "x", list: [{ k: "v" }] }, yes: true, no: false };

const expressions = [
  "a",
  "a|upper",
  "deep.er|upper|lower",
  "a ~ n ~ 'x'",
  "n == 3 and not no",
  "n in list or a in 'ABC'",
  "n not in list",
  "a is defined and a|length > 0",
  "n is not odd",
  "(a if yes else n)|string",
  "a if n < 4 else list",
  "deep.list[0].k|upper",
  "deep['er']|upper",
  "list|map('string')|join('-')",
  "list|join(sep) if sep is defined else a",
  "{'k': {'l': n}}.k.l",
  "{'k': a|lower}['k']",
  "[n|abs, -n|abs, n - 1]",
  "range(n)|list",
  "'{{ a|upper }}%}\\'' ~ a",
  "dict(x=n|abs)['x']",
  "none|default('d', true)",
  "missing|default(a)|lower",
  "n % 2 == 1",
  "[(a), (n if yes else a)]|join",
  "deep.list[n - 3]['k']|upper",
  "deep[\n'list'][0].k|upper",
  "(missing)|default(a)",
  "missing|default(gone)|default(a, true)",
  "missing|default(gone, true)|d(n)",
  "n is eq n and n is not eq a and n is divisibleby(n)",
  "{a: n, 'k': {'l': deep.er}}|string ~ {'m': {'n': {}}}",
  "deep.missing is undefined and deep.missing is not defined",
  "list[0:n]|join ~ dict(*[], a=a)",
  "super ~ 'x' if super is defined else self is defined",
  "1.5e1|int ~ 2",
];
const tags = [
  "{% if (EXPR) %}y{% elif (EXPR) %}z{% else %}w{% endif %}",
  "{% set v = EXPR %}[{{ v }}]",
  "{% for i in list if i == n or (EXPR) %}{{ loop.index ~ i }}{% else %}-{% endfor %}",
  "{% for k, v in deep|items %}{{ k|upper }}{% endfor %}",
  "{%- with v = EXPR, w = n|abs -%}{{ v }}{{ w ~ v }}{% endwith %}",
  "{% macro f(x, y=n|abs) %}{{ x ~ y }}{% endmacro %}{{ f(EXPR) }}",
  "{% filter upper|lower %}{{ EXPR }}{% endfilter %}",
  "{% set v|upper %}{{ EXPR }}{% endset %}{{ v }}",
  "{% set (p, q) = [n, EXPR] %}{{ p ~ q }}",
  "{% set ns = namespace(x=n) %}{% set ns.x = EXPR %}{{ ns.x ~ '' }}",
  "{% with (p, q) = [n, EXPR], r = n %}{{ [p, q, r]|join }}{% endwith %}",
  "{% macro g(x) %}{{ x|default(a) }}{{ caller(EXPR) }}{% endmacro %}{% call(p, q=n) g() %}{{ p ~ q }}{% endcall %}",
  "{% for r in [[1, []]] recursive %}{{ r[0] }}{{ loop(r[1]) }}{{ loop.nextitem|default(EXPR) }}{% endfor %}",
  "{% for x in list %}{{ loop.changed(x) }}{% if not loop.last %}{{ loop.nextitem ~ '' }}{% endif %}{% endfor %}",
  "{% autoescape no %}{% do range(n) %}{% endautoescape %}",
  "{% filter replace('x', a) %}x{% endfilter %}",
  "{# {{ EXPR }} #}",
  "{% raw %}{{ EXPR }}{% include 'x' %}{% endraw %}",
  "{{\n EXPR\n}}",
  "{{- EXPR -}} ",
  "text ' \" { % } # ",
];

function render(source: string): string {
  const environment = new Environment();
  environment.undefinedBehavior = "strict";
  try {
    return environment.renderStr(source, variables);
  } finally {
    environment.free();
  }
}

describe("prepareSource", () => {
  test("changes nothing of what a template says, where all variables are there, and no line", () => {
    const part = fc.tuple(fc.constantFrom(...tags), fc.constantFrom(...expressions), fc.constantFrom("", "\n", " x "));
    const template = fc
      .array(
        part.map(([tag, expression, space]) => tag.replaceAll("EXPR", () => expression) + space),
        { minLength: 1, maxLength: 6 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(template, (source) => {
        const prepared = prepareSource(source, "t0");
        expect(render(prepared)).toBe(render(source));
        expect(prepared.split("\n").length).toBe(source.split("\n").length);
      }),
      { numRuns: tries(300) },
    );
  });

  test("leaves what is no template alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "%", "}", "#", "'", '"', "a", " ", "\n", "|", "\\") }), (source) => {
        expect(prepareSource(source, "t0").split("\n").length).toBe(source.split("\n").length);
      }),
    );
  });
});
