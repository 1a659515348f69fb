import { symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TemplateError } from "../../src/base/errors.js";
import { renderKey, renderTemplate as renderWhole, TemplateRenderer } from "../../src/template/template.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const renderTemplate = (...args: Parameters<typeof renderWhole>): string => renderWhole(...args).text;

/** Renders the file `main` of a folder with these files, whose templates may come from all of it. */
function render(files: Readonly<Record<string, string>>, variables: Readonly<Record<string, unknown>> = {}, main = "main"): string {
  return renderIn(tempFolder(), files, variables, main);
}

function renderIn(
  folder: string,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, unknown>> = {},
  main = "main",
): string {
  writeFiles(folder, files);
  const renderer = new TemplateRenderer(folder);
  try {
    return renderer.render(join(folder, main), files[main] ?? "", variables);
  } finally {
    renderer.free();
  }
}

type Told = {
  readonly message: string;
  readonly hint: string | undefined;
  readonly near: string | undefined;
  readonly column: number | undefined;
};

/** What rendering fails with, the folder's path left out. */
function failure(files: Readonly<Record<string, string>>, variables: Readonly<Record<string, unknown>> = {}): Told {
  const folder = tempFolder();
  try {
    renderIn(folder, files, variables);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { message, hint, near, column } = error;
    return { message: message.replaceAll(folder, ""), hint: hint?.replaceAll(folder, ""), near, column };
  }
  throw new Error("no failure");
}

describe("renderTemplate", () => {
  test.each([
    ["{{ 1 }}", true],
    ["{% macro a() %}1{% endmacro %}{{ a() }}", true],
    ["{% include 'part' %}", false],
    ["{% include 'gone' ignore missing %}", false],
    ["{% from 'part' import x %}", false],
  ])("has a key where no other template is named: %s", (source, isAlone) => {
    const folder = tempFolder();
    writeFiles(folder, { part: "{% set x = 1 %}" });
    const { key } = renderWhole(join(folder, "t"), source, {});
    expect(key).toBe(isAlone ? renderKey(source, {}) : undefined);
  });

  test("variables are put in as they are, without HTML escapes, whatever the file's ending", () => {
    for (const ending of ["html", "xml", "json", "yaml", "js", "j2", "html.j2"])
      expect(renderTemplate(`/a/page.${ending}`, "<b>{{ x }}</b>\n", { x: `<&>"'` })).toBe(`<b><&>"'</b>\n`);
  });

  test("a value is data: what looks like a template in it is not rendered", () => {
    expect(renderTemplate("/t", "{{ x }}", { x: "{{ y }}{% raw %}" })).toBe("{{ y }}{% raw %}");
  });

  test("newlines at the end are kept", () => {
    expect(renderTemplate("/t", "a\n\n", {})).toBe("a\n\n");
  });

  test("filters, loops and conditionals", () => {
    const template = "{% for s in servers if s.on %}{{ loop.index }}:{{ s.name|upper }}{% if not loop.last %}, {% endif %}{% endfor %}";
    const servers = [
      { name: "a", on: true },
      { name: "b", on: false },
      { name: "c", on: true },
    ];
    expect(renderTemplate("/t", template, { servers })).toBe("1:A, 2:C");
  });

  test("methods of Python's strings and dicts", () => {
    expect(renderTemplate("/t", "{% for k, v in env.items() %}{{ k.upper() }}={{ v }};{% endfor %}", { env: { a: 1, b: "x" } })).toBe(
      "A=1;B=x;",
    );
  });

  test("templates of its own folder can be included, and no others", () => {
    const folder = tempFolder();
    writeFiles(folder, { "units/part": "{{ x }}", outside: "" });
    const path = join(folder, "units/web.service");
    expect(renderTemplate(path, '{% include "part" %}', { x: 1 })).toBe("1");
    expect(() => renderTemplate(path, '{% include "../outside" %}', {})).toThrow(`${path}:1: the template "../outside" leads out of`);
  });

  test("values of all kinds", () => {
    const values = { text: "ü", number: 1.5, whole: 3, yes: true, nothing: null, list: [1, "a"], deep: { er: { still: 7n } } };
    expect(
      renderTemplate("/t", "{{ text }} {{ number }} {{ whole }} {{ yes }} {{ nothing }} {{ list[1] }} {{ deep.er.still }}", values),
    ).toBe("ü 1.5 3 true none a 7");
  });

  test("a text without tags comes out as it went in", () => {
    const text = fc.string({ unit: "grapheme" }).filter((text) => !/[{}]/.test(text));
    fc.assert(
      fc.property(text, (text) => {
        expect(renderTemplate("/t", text, {})).toBe(text);
      }),
      { numRuns: 50 },
    );
  });
});

describe("undefined variables", () => {
  test("the error has file, line, the place in it, and the names that there are, the nearest first", () => {
    expect(failure({ main: "one\n\tlisten {{ prot }};\n" }, { host: "h", port: 1 })).toEqual({
      message: '/main:2: undefined variable "prot"',
      hint: "did you mean port? there are port, host",
      near: "prot",
      column: 11,
    });
  });

  test.each([
    "{{ x|upper }}",
    "{{ x|length }}",
    '{{ "a" ~ x }}',
    '{{ x ~ "a" }}',
    "{% if x %}{% endif %}",
    "{% if not x %}{% endif %}",
    "{% if x == 1 %}{% endif %}",
    "{% if 1 < x %}{% endif %}",
    "{% if 1 not in x %}{% endif %}",
    "{% if x not in [1] %}{% endif %}",
    "{% if true and x %}{% endif %}",
    "{% if x or true %}{% endif %}",
    "{{ 1 if x else 2 }}",
    "{% for y in x %}{% endfor %}",
    "{% for y in x|sort %}{% endfor %}",
    "{% set y = x|upper %}",
    "{% with y = x|upper %}{% endwith %}",
    "{{ x.y }}",
    "{{ x[0] }}",
    "{{ x.items() }}",
    "{{ ['a', x, 'b']|join(',') }}",
    "{{ y|default(x) }}",
    "{{ 'a'|replace('a', x) }}",
    "{{ {'port': x}|tojson }}",
    "{% if given is eq x %}{% endif %}",
    "{% if x is none %}{% endif %}",
    "{% for k in [1, x] %}{% endfor %}",
    "{% macro f(a) %}{% endmacro %}{{ f(x) }}",
    "{% include x ignore missing %}",
    "{% include [x|default('none'), x] ignore missing %}",
  ])("%s is an error", (template) => {
    expect(failure({ main: `\n${template}` }, { given: 1 }).message).toMatch(/^\/main:2: undefined variable "x(\.y|\[0\])?"$/);
  });

  test.each([
    "{{ x|default('') }}",
    "{{ x|d('')|upper }}",
    "{% if x is defined %}{% endif %}",
    "{% if x is not defined %}{% endif %}",
    "{% if x is undefined and true %}{% endif %}",
    "{% if x is defined and x|upper == 'A' %}{% endif %}",
    "{% if false %}{{ x|upper }}{% endif %}",
    "{% raw %}{% endraw %}{# {{ x|upper }} #}",
    "{% set x = given %}{% set y = x|string|length == 1 %}",
    "{% macro f(x) %}{% if x|string == '' %}{% endif %}{% endmacro %}{% set y = f(given) %}",
    "{% for x in [1] if x == 2 %}{{ x|abs }}{% endfor %}",
    "{% filter upper|lower %}{% endfilter %}",
    "{% set x|upper %}{% endset %}",
  ])("%s is none", (template) => {
    expect(render({ main: template }, { given: 1 })).toBe("");
  });

  test("of an attribute, what there is instead", () => {
    expect(failure({ main: "{{ server.prot|string }}" }, { server: { port: 1, host: "h" } })).toMatchObject({
      message: expect.stringContaining('undefined variable "server.prot"'),
      hint: "did you mean port? server has port, host",
    });
  });

  test.each([
    ["{{ servers[0].prot|string }}", "servers[0].prot", "did you mean port? servers[0] has port", 3],
    ["{{ servers[0]['prot'] }}", "servers[0]['prot']", "did you mean port? servers[0] has port", 3],
    ["{{ servers[1].port ~ '' }}", "servers[1]", "servers has 1 item", 3],
    ["{{ servers[index].prot }}", "servers[index].prot", undefined, 3],
    ["{{ servers[index].prot.list()|string }}", "servers[index].prot", undefined, 3],
    ["{{ index.port|upper }}", "index.port", undefined, 3],
    ["{% for s in servers %}{{ s.prot ~ s.port }}{% endfor %}", "s.prot", "there are servers, index", 25],
    ["{{ missing|default('') ~ missing }}", "missing", "there are servers, index", undefined],
  ])("%s: %s", (main, name, hint, column) => {
    const near = column === undefined ? undefined : name;
    const message = `/main:1: undefined variable ${JSON.stringify(name)}`;
    expect(failure({ main }, { servers: [{ port: 1 }], index: 0 })).toEqual({ message, hint, near, column });
  });

  test("what the script left undefined is undefined, not the word none", () => {
    expect(failure({ main: "{{ a.b }}{{ x }}" }, { a: { b: undefined }, x: undefined }).message).toContain('undefined variable "a.b"');
  });

  test("no value of a variable is in the message", () => {
    const { message, hint } = failure({ main: "{{ token }} {{ missing }}" }, { token: "hunter2" });
    expect(`${message} ${hint}`).not.toContain("hunter2");
  });
});

describe("wrong templates", () => {
  test("a syntax error has file, line and the place in it", () => {
    expect(failure({ main: "one\n\n{% if %}\n" })).toMatchObject({
      message: "/main:3: syntax error: unexpected end of block",
      near: "%}",
      column: 6,
    });
  });

  test("an unknown filter", () => {
    expect(failure({ main: "\n{{ 1|nofilter }}" }).message).toMatch(/^\/main:2: .*nofilter is unknown/);
  });
});

describe("templates that name others", () => {
  test("include, import, from and extends are relative to the template that names them", () => {
    const files = {
      "etc/main": '{% extends "../lib/base" %}{% block body %}{% include "part" %}{% endblock %}',
      "etc/part": "part {{ x }}",
      "lib/base":
        '{% import "macros" as m %}{% from "./macros" import f as g with context %}<{% block body %}{% endblock %}>{{ m.f(x) }}{{ g(x) }}',
      "lib/macros": "{% macro f(a) %}[{{ a }}]{% endmacro %}",
    };
    expect(render(files, { x: 1 }, "etc/main")).toBe("<part 1>[1][1]");
  });

  test("a name with a slash at its start is below the root folder", () => {
    expect(render({ "a/b/main": '{%- include "/shared/x" -%}', "shared/x": "X" }, {}, "a/b/main")).toBe("X");
  });

  test("names may be computed, listed, or missing on purpose", () => {
    const main =
      '{% for n in names %}{% include "parts/" ~ n %}{% endfor %}{% include ["none", "parts/b"] %}{% include "none" ignore missing %}' +
      '{% include "parts/a" if true else "none" %}';
    expect(render({ main, "parts/a": "A", "parts/b": "B" }, { names: ["a", "b"] })).toBe("ABBA");
  });

  test("included templates see the variables where they are included", () => {
    expect(render({ main: '{% for i in [1, 2] %}{% include "x" %}{% endfor %}', x: "{{ i }}{{ given }}\n" }, { given: "!" })).toBe(
      "1!\n2!\n",
    );
  });

  test("an error in an included template has that file's line, however deep", () => {
    const files = {
      main: '\n{% for s in [1] %}\n{% include "a" %}\n{% endfor %}',
      a: 'x\n{% if true %}{% include "b" %}{% endif %}',
      b: "1\n2\n3 {{ s }} {{ missing }}\n",
    };
    expect(failure(files, { mising: 1 })).toEqual({
      message: '/b:3: undefined variable "missing"',
      hint: "did you mean mising? there are mising",
      near: "missing",
      column: 13,
    });
  });

  test.each([
    ["a macro", { main: '\n{% import "m" as m %}{{ m.f() }}', m: "\n\n{% macro f() %}\n{{ x }}{% endmacro %}" }, "/m:4: "],
    ["an imported template itself", { main: '\n{% import "m" as m %}', m: "\n\n{{ x }}" }, "/m:3: "],
    ["a parent", { main: '\n\n{% extends "p" %}', p: "\n{{ x }}" }, "/p:2: "],
    ["a block", { main: '{% extends "p" %}\n{% block b %}\n{{ x }}{% endblock %}', p: "{% block b %}{% endblock %}" }, "/main:3: "],
    [
      "a parent's block",
      { main: '{% extends "p" %}{% block b %}{{ super() }}{% endblock %}', p: "\n{% block b %}\n{{ x }}{% endblock %}" },
      "/p:3: ",
    ],
    ["a second include of one line", { main: '{% include "a" %}{% include "b" %}', a: "1\n2\n3", b: "\n{{ x }}" }, "/b:2: "],
  ] as const)("an error in %s has its line", (_, files, place) => {
    expect(failure(files).message.startsWith(`${place}undefined variable "x"`)).toBe(true);
  });

  test("a syntax error in an included template is told there", () => {
    expect(failure({ main: '{% include "a" %}', a: "\n{% if" }).message).toMatch(/^\/a:2: syntax error/);
  });

  test("a template that is not there is told with the line that names it", () => {
    expect(failure({ main: '\n{% include "parts/hedaer" %}', "parts/header": "" })).toMatchObject({
      message: '/main:2: there is no template "parts/hedaer": /parts/hedaer is not there',
      hint: "did you mean parts/header?",
    });
    expect(failure({ main: '{% extends "none" %}' }).message).toContain('/main:1: there is no template "none"');
    expect(failure({ main: '{% import "none" as n %}' }).message).toContain('/main:1: there is no template "none"');
    expect(failure({ main: '{% include "a" %}', a: '\n{% include "none" %}' }).message).toContain('/a:2: there is no template "none"');
  });

  test.each(["../outside", "/../outside", "a/../../outside"])("%s leads out of the folder", (name) => {
    const folder = tempFolder();
    writeFiles(folder, { outside: "secret" });
    expect(() => renderIn(join(folder, "in"), { main: `\n{% include "${name}" ignore missing %}`, "a/b": "" })).toThrow(
      /main:2: the template ".*" leads out of /,
    );
  });

  test("neither does a symlink", () => {
    const folder = tempFolder();
    writeFiles(folder, { outside: "secret", "in/a": "A" });
    symlinkSync(join(folder, "outside"), join(folder, "in/link"));
    symlinkSync("a", join(folder, "in/inside"));
    expect(() => renderIn(join(folder, "in"), { main: '{% include "link" ignore missing %}' })).toThrow("leads out of");
    expect(renderIn(join(folder, "in"), { main: '{% include "inside" %}' })).toBe("A");
  });

  test("templates that include each other end in an error", () => {
    expect(failure({ main: '{% include "a" %}', a: '{% include "a" %}' }).message).toContain(
      "/a:1: templates include each other too deeply",
    );
  });

  test("tags in comments, raw blocks and texts name nothing", () => {
    expect(render({ main: `{# {% include "x" %} #}{% raw %}{% include "x" %}{% endraw %}{{ '{% include "x" %}' }}` })).toBe(
      '{% include "x" %}{% include "x" %}',
    );
  });
});

describe("TemplateRenderer", () => {
  test("renders a thousand files that include another quickly", () => {
    const folder = tempFolder();
    writeFiles(folder, { part: "{{ n }}" });
    const renderer = new TemplateRenderer(folder);
    const start = performance.now();
    for (let n = 0; n < 1000; n++) expect(renderer.render(join(folder, `f${n}`), '{% include "part" %}\n', { n })).toBe(`${n}\n`);
    renderer.free();
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

test("keys are of what a template gets, of whatever kind of object: a module, one without a prototype, a proxy", async () => {
  const source = "data:text/javascript,export const a = 1";
  const site: unknown = await import(source);
  expect(Object.prototype.toString.call(site)).toBe("[object Module]");
  const same = [site, Object.assign(Object.create(null), { a: 1 }), new Proxy({ a: 1 }, {}), { a: 1, b: undefined }];
  expect(new Set(same.map((value) => renderKey("t", { site: value })))).toEqual(new Set([renderKey("t", { site: { a: 1 } })]));
});
