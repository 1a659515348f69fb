import fc from "fast-check";
import { Environment } from "minijinja-js";
import { describe, expect, test } from "vitest";
import { findReferences, prepareSource, resolveFilter } from "../../src/template/source.js";

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
      { numRuns: 300 },
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

describe("findReferences", () => {
  test.each([
    ['{% include "a" %}', "include", '"a"'],
    ["{%- include 'a b' ignore missing -%}", "include", "'a b'"],
    ['{% include ["a", name] with context %}', "include", '["a", name]'],
    ['{% include "with context" if x else "ignore missing" without context %}', "include", '"with context" if x else "ignore missing"'],
    ['{% extends "a" ~ b %}', "extends", '"a" ~ b'],
    ['{% import "x as y" as m with context %}', "import", '"x as y"'],
    ['{% from "import" import a as b, c %}', "from", '"import"'],
    ['{%+ include "%}" %}', "include", '"%}"'],
    ['{% include\n"a"\n%}', "include", '"a"'],
  ])("%s", (source, keyword, name) => {
    const text = `\n{{ x }} ${source} y`;
    const [reference, ...more] = findReferences(text);
    expect(more).toEqual([]);
    expect(reference?.keyword).toBe(keyword);
    expect(text.slice(reference?.tag.start, reference?.tag.end)).toBe(source);
    expect(text.slice(reference?.name.start, reference?.name.end)).toBe(name);
    expect(prepareSource(text, "t7")).toContain(`|${resolveFilter}("t7", "${keyword}")`);
  });

  test.each([
    "{# {% include 'a' %} #}",
    "{% raw %}{% include 'a' %}{% endraw %}",
    "{{ '{% include \"a\" %}' }}",
    "{% set include = 1 %}",
    "{% includes 'a' %}",
  ])("%s has none", (source) => expect(findReferences(source)).toEqual([]));
});
