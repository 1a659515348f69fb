import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { checkCasts } from "../../src/plan/cast.js";
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
