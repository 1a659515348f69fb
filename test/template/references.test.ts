import { describe, expect, test } from "vitest";
import { findReferences } from "../../src/template/references.js";
import { prepareSource, resolveFilter } from "../../src/template/source.js";

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
