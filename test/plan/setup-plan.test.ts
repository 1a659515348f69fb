import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ScriptError } from "../../src/base/errors.js";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { planSetup } from "../../src/plan/setup-plan.js";
import type { Script } from "../../src/script/load.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const image = "https://h/web.tar.zst";
type Said = readonly [Keyword, ...unknown[]];

function script(folder: string, ...said: readonly Said[]): Script {
  const path = `${folder}/setup.ts`;
  const calls = said.map(([keyword, ...args], index): Call => ({ keyword, args, at: { file: path, line: index + 1 } }));
  return { path, folder, kind: "setup", calls };
}

function problems(folder: string, ...said: readonly Said[]): readonly string[] {
  try {
    planSetup(script(folder, ...said));
  } catch (error) {
    if (error instanceof ScriptError) return error.problems.map(({ at, message }) => `${at.line}: ${message}`);
    throw error;
  }
  return [];
}

describe("planSetup", () => {
  test("image, machine, settings and work are taken", () => {
    const plan = planSetup(
      script(
        "/srv",
        ["IMAGE", image, { grant: ["Bind"] }],
        ["MACHINE", { name: "web", state: "keep" }],
        ["WITH", { Register: true }],
        ["SH", "mkdir -p /srv/web"],
        ["EXEC", ["/init"]],
      ),
    );
    expect(plan).toMatchObject({
      script: "/srv/setup.ts",
      image: { url: image },
      grant: ["Bind"],
      machine: { name: "web", state: "keep" },
      settings: { origin: "/srv/setup.ts", entries: [{ name: "Register", value: "yes" }] },
      command: ["/init"],
      work: [{ kind: "sh" }],
    });
    expect(plan.places).toEqual(new Map([["Register", { file: "/srv/setup.ts", line: 3 }]]));
  });

  test("what is missing is told together", () => {
    expect(problems("/srv", ["SH", "true"])).toEqual(["1: there is no IMAGE", "1: there is no MACHINE"]);
  });

  test("one script is one machine", () => {
    expect(problems("/srv", ["IMAGE", image], ["MACHINE", "a"], ["MACHINE", "b"])).toEqual(["3: MACHINE was already declared on line 2"]);
  });

  test("a template that is not there is a problem, one that is there is an absolute path", () => {
    const folder = tempFolder();
    writeFiles(folder, { "web.service": "" });
    expect(problems(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "no.service" }])).toEqual([
      `2: MACHINE: template ${folder}/no.service is not there`,
    ]);
    expect(problems("/srv", ["IMAGE", image], ["MACHINE", { name: "a", template: "/" }])).toEqual(["2: MACHINE: template /srv is no file"]);
    symlinkSync("/etc", join(folder, "out"));
    symlinkSync("web.service", join(folder, "link"));
    expect(problems(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "out/hostname" }])).toEqual([
      `2: MACHINE: template ${folder}/out/hostname leads out of the script's folder, through a symlink`,
    ]);
    expect(problems(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "link" }])).toEqual([
      `2: MACHINE: template ${folder}/link is a symlink`,
    ]);
    const plan = planSetup(script(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "web.service" }]));
    expect(plan.machine.template).toBe(`${folder}/web.service`);
  });

  test("all that is wrong comes together, in the order of lines, and nothing is missing that was only wrong", () => {
    const folder = tempFolder();
    expect(
      problems(
        folder,
        ["SH", ""],
        ["MACHINE", { name: "a b", state: "kept", template: "gone.service" }],
        ["WITH", { Boots: true, Boot: "maybe" }],
        ["IMAGE", "web", { grant: ["Binds"] }],
        ["COPY", "/gone"],
      ),
    ).toEqual([
      '1: SH: expected a shell script, got ""',
      expect.stringMatching(/^2: MACHINE: name: "a b" is no machine name/),
      '2: MACHINE: state: expected one of volatile, keep, got "kept"',
      "3: WITH: there is no setting Boots",
      expect.stringMatching(/^3: WITH: Boot takes true or false/),
      '4: IMAGE: "web" is no URL',
      '4: IMAGE: grant[0]: expected the name of a setting, got "Binds"',
      `5: COPY: source ${folder}/gone is not there`,
    ]);
  });

  test("what the script's own settings contradict is a problem of the setup, too", () => {
    expect(problems("/srv", ["IMAGE", image], ["MACHINE", "a"], ["EXEC", ["/init"]], ["WITH", { Boot: true }])).toEqual([
      "3: EXEC: a machine that boots runs init, not a command",
    ]);
  });
});
