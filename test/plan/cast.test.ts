import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { DigestMemory } from "../../src/base/digest-memory.js";
import { castDigest, checkCasts, isRendered } from "../../src/plan/cast.js";
import type { StepOf } from "../../src/plan/step.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

let folder: string;

beforeEach(() => {
  folder = tempFolder();
});

const cast = (source: string, variables: StepOf<"cast">["variables"] = {}, line = 1): StepOf<"cast"> => ({
  kind: "cast",
  at: { file: join(folder, "build.ts"), line },
  source: source === "/" ? folder : join(folder, source),
  target: "/opt/x",
  variables,
});
const messages = (...steps: readonly StepOf<"cast">[]): readonly string[] =>
  checkCasts(steps, folder).map(({ at, message }) => `${at.line}: ${message.split("\n")[0]}`);

describe("checkCasts", () => {
  test("templates that can be rendered are right, with their variables, source and target", () => {
    writeFiles(folder, { "a.md": "{{ who|upper }} {{ source }} {{ target }}{% include 'b.md' %}", "b.md": "{{ who }}" });
    expect(messages(cast("a.md", { who: "x" }))).toEqual([]);
  });

  test("all that are wrong are told at once, each at the line of its CAST, with its own", () => {
    writeFiles(folder, {
      "etc/undefined": "ok\n{{ nobody }}",
      "etc/syntax": "{% if %}",
      "etc/filter": "{{ 1|nofilter }}",
      "etc/sub/include": "{% include 'gone' %}",
      "etc/right": "{{ target }}",
      one: "{{ other }}",
    });
    writeFileSync(join(folder, "etc/binary"), Buffer.from([0xff, 0xfe]));
    expect(messages(cast("etc"), cast("one", {}, 2), cast("one", { other: 1 }, 3)).toSorted()).toEqual([
      expect.stringMatching(/^1: CAST: etc\/binary is no text in UTF-8/),
      expect.stringMatching(/^1: CAST: etc\/filter:1: unknown filter/),
      expect.stringMatching(/^1: CAST: etc\/sub\/include:1: there is no template "gone"/),
      expect.stringMatching(/^1: CAST: etc\/syntax:1: syntax error/),
      '1: CAST: etc/undefined:2: undefined variable "nobody"',
      '2: CAST: one:1: undefined variable "other"',
    ]);
  });

  test("the hint of a mistake is kept", () => {
    writeFiles(folder, { a: "{{ port }}" });
    expect(checkCasts([cast("a", { prot: 1 })], folder)).toMatchObject([{ hint: expect.stringContaining("did you mean prot?") }]);
  });

  test("a source that is not there, or leads elsewhere, has its problem already", () => {
    sh(folder, "ln -s /etc/hostname link");
    expect(messages(cast("gone"), cast("link"))).toEqual([]);
  });

  test("symlinks in a folder are no templates, and hard links are one", () => {
    writeFiles(folder, { "etc/a": "{{ x }}", outside: "{{ x }}" });
    sh(folder, "ln etc/a etc/b; ln -s ../outside etc/link");
    expect(messages(cast("etc"))).toHaveLength(1);
  });
});

describe("castDigest", () => {
  /** Notes that tell how often each was found. */
  const notes = () => {
    const known = new Map<string, string>();
    let hits = 0;
    const find = (key: string): string | undefined => {
      const digest = known.get(key);
      if (digest !== undefined) hits++;
      return digest;
    };
    return { known, hits: () => hits, renderings: { find, note: (key: string, digest: string) => void known.set(key, digest) } };
  };
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const digestOf = (step: StepOf<"cast">, renderings: DigestMemory): string =>
    castDigest(step, { name: "", path: step.source }, folder, renderings);

  test("is that of the text, which is rendered once", () => {
    writeFiles(folder, { a: "{{ who | upper }}" });
    const { hits, renderings } = notes();
    const step = cast("a", { who: "me" });
    expect(isRendered(step, folder, renderings)).toBe(false);
    expect(digestOf(step, renderings)).toBe(sha256("ME"));
    expect(hits()).toBe(0);
    expect(digestOf(step, renderings)).toBe(sha256("ME"));
    expect(hits()).toBe(1);
    expect(isRendered(step, folder, renderings)).toBe(true);
    expect(checkCasts([step], folder, renderings)).toEqual([]);
    expect(hits()).toBe(3);
  });

  test("needs nothing noted for a template of nothing but names", () => {
    writeFiles(folder, { "etc/a": "{{ who }}", "etc/b": "text" });
    const { renderings } = notes();
    expect(isRendered(cast("etc", { who: "me" }), folder, renderings)).toBe(true);
    expect(isRendered(cast("etc"), folder, renderings)).toBe(false);
  });

  test.each<readonly [string, StepOf<"cast">["variables"], StepOf<"cast">["variables"]]>([
    ["a number and its text", { who: 1 }, { who: "1" }],
    ["an integer and minus zero", { who: 0 }, { who: -0 }],
    ["null and a text", { who: null }, { who: "null" }],
    ["an order of a list", { who: ["a", "b"] }, { who: ["b", "a"] }],
    ["a name", { who: 1 }, { who: 1, other: 1 }],
  ])("does not take %s for the same", (_, one, other) => {
    writeFiles(folder, { a: "{{ who }}" });
    const { known, hits, renderings } = notes();
    digestOf(cast("a", one), renderings);
    digestOf(cast("a", other), renderings);
    expect([known.size, hits()]).toEqual([2, 0]);
  });

  test("a changed template, source or target is rendered anew", () => {
    writeFiles(folder, { a: "{{ source }}", b: "{{ source }}" });
    const { hits, renderings } = notes();
    expect(digestOf(cast("a"), renderings)).toBe(sha256("/a"));
    expect(digestOf(cast("b"), renderings)).toBe(sha256("/b"));
    digestOf({ ...cast("a"), target: "/else" }, renderings);
    writeFiles(folder, { a: "new" });
    expect(digestOf(cast("a"), renderings)).toBe(sha256("new"));
    expect(hits()).toBe(0);
  });

  test.each([
    "{% include 'b' %}",
    "{% include 'gone' ignore missing %}",
    "{% if false %}{% else %}{% include ['gone', 'b'] %}{% endif %}",
    "{% import 'b' as b %}",
    "{% extends 'b' %}",
  ])("what is made of other templates too is rendered each time: %s", (text) => {
    writeFiles(folder, { a: text, b: "1" });
    const { known, renderings } = notes();
    digestOf(cast("a"), renderings);
    expect(known.size).toBe(0);
    expect(isRendered(cast("a"), folder, renderings)).toBe(false);
  });

  test("one that fails is not kept", () => {
    writeFiles(folder, { a: "{{ nobody }}" });
    const { known, renderings } = notes();
    expect(() => digestOf(cast("a"), renderings)).toThrow("nobody");
    expect(known.size).toBe(0);
  });
});
