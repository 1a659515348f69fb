import fc from "fast-check";
import { Environment } from "minijinja-js";
import { describe, expect, test } from "vitest";
import { guardVariables } from "../../src/template/guard.js";
import { tries } from "../support/tries.js";

const variables = { n: 3, yes: true, list: [1, 2], deep: { er: "x", list: [{}] } };

/** How templates name what is or is not there. */
const holes = ["hole", "deep.hole", "deep.list[0].hole", "deep['hole']", "deep [ 'list' ][n - 3] . hole"];

/** The variables with all of these. */
const full = { ...variables, hole: "a", deep: { er: "x", hole: "a", list: [{ hole: "a" }] } };

/** Expressions that evaluate their operand E always, whatever it is, and stand alone. */
const around = [
  "(E)",
  "E|upper",
  "E ~ n",
  "n ~ E",
  "[n, E, 'b']|join(',')",
  "[E]|first",
  "{'k': E}|tojson",
  "{E: 1}|string",
  "{'k': {'l': n}}.k.l ~ E",
  "'abc'|replace('a', E)",
  "nope|default(E)|upper",
  "nope|default(n if false else E)",
  "text(E)",
  "text(x=E)",
  "dict(k=E)|string",
  "E if yes else n",
  "n if E else n",
  "n if false else E",
  "not E",
  "E and n",
  "false or E",
  "E is eq n",
  "n is eq E",
  "n is not eq(E)",
  "E is none",
  "E is string",
  "n in [E]",
  "E in ['b']",
  "E not in ['b']",
  "n == E",
  "deep[E]|default('d')",
  "deep['er' if E else 'er']|upper",
  "[[E]][0][0]",
];

/** Templates that evaluate their expression E always. */
const tags = [
  "{{ E }}",
  "{{-E-}}",
  "{{\n E\n}}",
  "{% if E %}{% endif %}",
  "{% if false %}{% elif E %}{% endif %}",
  "{% for k in [1, E] %}{{ k }}{% endfor %}",
  "{% for k in list if E %}{{ k }}{% endfor %}",
  "{% set v = E %}{{ v }}",
  "{% set (v, w) = [E, n] %}{{ v }}",
  "{% set v|replace('a', E) %}a{% endset %}{{ v }}",
  "{% with v = n, w = E %}{{ w }}{% endwith %}",
  "{% macro f(v, w=E) %}{{ w }}{% endmacro %}{{ f(n) }}",
  "{% macro f(v) %}{{ caller(v) }}{% endmacro %}{% call(x) f(E) %}{{ x }}{% endcall %}",
  "{% filter replace('a', E) %}a{% endfilter %}",
  "{% do dict(k=(E)) %}",
  "{% autoescape E is none %}{% endautoescape %}",
];

const template = fc
  .tuple(fc.constantFrom(...holes), fc.array(fc.constantFrom(...around), { maxLength: 3 }), fc.constantFrom(...tags))
  .map(([hole, wrappers, tag]) => {
    const expression = wrappers.reduce((inner, wrapper) => wrapper.replace("E", () => `(${inner})`), hole);
    return `{% macro text(x) %}[{{ x }}]{% endmacro %}${tag.replace("E", () => (wrappers.length > 0 ? `(${expression})` : hole))}`;
  });

function render(source: string, context: Readonly<Record<string, unknown>>): string {
  const environment = new Environment();
  environment.undefinedBehavior = "strict";
  try {
    return environment.renderStr(source, context);
  } finally {
    environment.free();
  }
}

describe("guardVariables", () => {
  test("what is undefined is an error wherever a template reads it, and what is defined is rendered as without guards", () => {
    fc.assert(
      fc.property(template, (source) => {
        const guarded = guardVariables(source);
        expect(() => render(guarded, variables)).toThrow(/undefined value|types? undefined/);
        expect(render(guarded, full)).toBe(render(source, full));
        expect(guarded.split("\n").length).toBe(source.split("\n").length);
      }),
      { numRuns: tries(1000) },
    );
  });

  test.each(
    holes.flatMap((hole) =>
      [...around, ...tags].map((text) => (text.includes("{%") || text.startsWith("{{") ? text : `{{ ${text} }}`).replace("E", () => hole)),
    ),
  )("%s", (source) => {
    const whole = `{% macro text(x) %}[{{ x }}]{% endmacro %}${source}`;
    expect(() => render(guardVariables(whole), variables)).toThrow(/undefined value|types? undefined/);
    expect(render(guardVariables(whole), full)).toBe(render(whole, full));
  });

  test.each([
    "{{ hole|default('') }}",
    "{{ (hole)|default('') }}",
    "{{ ((hole))|d('') }}",
    "{{ deep.list[0].hole|default('') }}",
    "{{ nope|default(hole)|default('') }}",
    "{{ nope|default(hole, true)|default('') }}",
    "{% if hole is defined or deep.hole is not undefined %}{% endif %}",
    "{% if (hole) is defined and hole|upper %}{% endif %}",
    "{% if not hole is defined or hole %}{% endif %}",
    "{{ (hole if hole is defined else '')|upper }}",
    "{% macro f(hole, other=hole) %}{{ hole|default('') }}{% endmacro %}{{ f(other='') }}",
    "{% set x = dict(hole='') %}",
    "{% for hole in [''] %}{{ hole|upper }}{% endfor %}",
    "{% with hole = '' %}{{ [hole]|first }}{% endwith %}",
    "{% set (hole, other) = ['', ''] %}{{ [hole, other]|join }}",
    "{% set x|default(n) %}{% endset %}",
    "{% block hole %}{% endblock hole %}",
    "{# {{ [hole] }} #}{% raw %}{% endraw %}{{ '{{ [hole] }}'|replace('{{ [hole] }}', '') }}",
  ])("%s is none", (source) => {
    expect(render(guardVariables(source), variables)).toBe("");
  });

  test("a text with thousands of tags takes no longer than it has to", () => {
    const started = performance.now();
    expect(guardVariables("{{ [a, {'b': c[d]}]|join }}\n".repeat(20_000)).split("\n")).toHaveLength(20_001);
    guardVariables("{{ ( ".repeat(20_000));
    guardVariables(`{{ ${"a[".repeat(300)}0${"]".repeat(300)} }}`);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
