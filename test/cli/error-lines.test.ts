import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  CommandError,
  ConfigError,
  InterruptedError,
  NspawnError,
  ProblemsError,
  ScriptError,
  StepError,
  TemplateError,
} from "../../src/base/errors.js";
import { errorLines, summary } from "../../src/cli/error-lines.js";
import type { Paint } from "../../src/cli/style.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const plain: Paint = (_, text) => text;

function script(): string {
  const folder = tempFolder();
  writeFiles(folder, { "build.ts": 'IMAGE("x");\nWITH({ Boott: true });\nSH("false");\n' });
  return join(folder, "build.ts");
}

describe("problems of a script", () => {
  test("have place, message, the line, and what would be right", () => {
    const file = script();
    const problem = { at: { file, line: 2 }, message: "there is no setting Boott", hint: "did you mean Boot?", near: "Boott" };
    expect(errorLines(new ScriptError([problem]), plain, false)).toEqual([
      `${file}:2: error: there is no setting Boott`,
      "   2 | WITH({ Boott: true });",
      "     |        ^^^^^",
      "  hint: did you mean Boot?",
    ]);
  });

  test("are parted by a blank line, and counted", () => {
    const file = script();
    const lines = errorLines(
      new ScriptError([
        { at: { file, line: 1 }, message: "one" },
        { at: { file, line: 9 }, message: "two" },
      ]),
      plain,
      false,
    );
    expect(lines).toEqual([
      `${file}:1: error: one`,
      '   1 | IMAGE("x");',
      "",
      `${file}:9: error: two`,
      "",
      `2 problems in ${file}; nothing was done`,
    ]);
  });

  test("name files as seen from the current folder", () => {
    const at = { file: join(process.cwd(), "web/build.ts"), line: 3 };
    expect(errorLines(new ScriptError([{ at, message: "x" }]), plain, false)).toEqual(["web/build.ts:3: error: x"]);
    expect(summary(new ScriptError([{ at, message: "x" }]))).toBe("1 problem in web/build.ts; nothing was done");
    const other = { file: "/srv/lib.ts", line: 1 };
    expect(summary(new ScriptError([at, at, other].map((place) => ({ at: place, message: "x" }))))).toBe(
      "3 problems in web/build.ts and /srv/lib.ts; nothing was done",
    );
  });
});

describe("problems that are not the script's alone", () => {
  test("show the words of the program that failed, and are not said to have done nothing", () => {
    const file = script();
    const cause = new CommandError({ argv: ["tar", "x"], code: 2, output: "no tar" });
    const one = { at: { file, line: 3 }, message: "one", near: "false", hint: "do a", cause: new NspawnError("one", { cause }) };
    const error = new ProblemsError([one, { at: { file, line: 9 }, message: "two" }]);
    expect(error.exitCode).toBe(1);
    expect(errorLines(error, plain, false)).toEqual([
      `${file}:3: error: one`,
      '   3 | SH("false");',
      "     |     ^^^^^",
      "  command: tar x",
      "  | no tar",
      "  hint: do a",
      "",
      `${file}:9: error: two`,
      "",
      `2 problems in ${file}`,
    ]);
  });
});

describe("other errors", () => {
  test("of a step show its line, the command and its last words", () => {
    const file = script();
    const cause = new CommandError({ argv: ["sh", "-c", "echo a; false"], code: 1, output: "a\n\n\x1b[31mb\x1b[2J" });
    const error = new StepError({ file, line: 3 }, "SH false: exit code 1", { cause, hint: "look\nthere" });
    expect(errorLines(error, plain, false)).toEqual([
      `${file}:3: error: SH false: exit code 1`,
      '   3 | SH("false");',
      "  command: sh -c 'echo a; false'",
      "  | a",
      "  | b",
      "  hint: look",
      "        there",
    ]);
  });

  test("that come from a template show its line, too", () => {
    const file = script();
    const template = join(tempFolder(), "part");
    writeFileSync(template, "a\n\tlisten {{ prot }}\x1b[2J;\n");
    const cause = new TemplateError({ file: template, line: 2 }, 'undefined variable "prot"', {
      hint: "did you mean port?",
      near: "prot",
      column: 11,
    });
    const error = new StepError({ file, line: 3 }, `CAST: ${cause.message}`, { cause, hint: cause.hint });
    const shown = [
      '   3 | SH("false");',
      `  ${template}:2:`,
      "   2 |     listen {{ prot }};",
      "     |               ^^^^",
      "  hint: did you mean port?",
    ];
    const headline = `${file}:3: error: CAST: ${template}:2: undefined variable "prot"`;
    expect(errorLines(error, plain, false)).toEqual([headline, ...shown]);
    const problem = { at: error.at, message: error.message, hint: error.hint, cause };
    expect(errorLines(new ScriptError([problem]), plain, false)).toEqual([headline, ...shown]);
    expect(errorLines(cause, plain, false)).toEqual([`error: ${cause.message}`, ...shown.slice(1)]);
  });

  test("hold nothing that a terminal obeys", () => {
    const cause = new CommandError({ argv: ["\x1b[2J"], code: 1, output: "\x1b]0;x\x07y" });
    const error = new NspawnError("bad \x1b[31mname\x07\nmore", { cause, hint: "\x9b2J" });
    expect(errorLines(error, plain, true).join("")).not.toMatch(/\p{Cc}/u);
  });

  test("of the configuration have their places", () => {
    const error = new ConfigError([
      { at: "/etc/nspawn/config.ini:3", message: "there is no section [stoarge]" },
      { at: "--config", message: "no value" },
    ]);
    expect(errorLines(error, plain, false).slice(0, 2)).toEqual([
      "/etc/nspawn/config.ini:3: error: there is no section [stoarge]",
      "--config: error: no value",
    ]);
  });

  test("show a stack only if asked to", () => {
    const error = new TypeError("oops");
    expect(errorLines(error, plain, false)).toEqual(["error: oops", "  this is a defect of nspawn; --verbose shows where"]);
    expect(errorLines(error, plain, true).join("\n")).toContain("error-lines.test.ts");
    expect(errorLines(Object.assign(new Error("ENOSPC: no space left"), { errno: -28 }), plain, false)).toEqual([
      "error: ENOSPC: no space left",
    ]);
    expect(errorLines("text", plain, false)[0]).toBe("error: text");
    expect(errorLines(new InterruptedError(), plain, false)).toEqual(["interrupted"]);
  });
});
