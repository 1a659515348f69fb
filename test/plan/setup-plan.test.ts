import { describe, expect, test } from "vitest";
import { ScriptError } from "../../src/base/errors.js";
import type { Call, Keyword } from "../../src/dsl/call.js";
import { planSetup } from "../../src/plan/setup-plan.js";
import { showSetupPlan } from "../../src/plan/show.js";
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
    expect(showSetupPlan(plan)).toContain("kept until the next update");
  });

  test("what is missing is told together", () => {
    expect(problems("/srv", ["SH", "true"])).toEqual(["1: there is no IMAGE", "1: there is no MACHINE"]);
  });

  test("one script is one machine", () => {
    expect(problems("/srv", ["IMAGE", image], ["MACHINE", "a"], ["MACHINE", "b"])).toEqual([
      "3: MACHINE was already declared at /srv/setup.ts:2",
    ]);
  });

  test("a template that is not there is a problem, one that is there is an absolute path", () => {
    const folder = tempFolder();
    writeFiles(folder, { "web.service": "" });
    expect(problems(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "no.service" }])).toEqual([
      `2: MACHINE: template ${folder}/no.service is no file`,
    ]);
    const plan = planSetup(script(folder, ["IMAGE", image], ["MACHINE", { name: "a", template: "web.service" }]));
    expect(plan.machine.template).toBe(`${folder}/web.service`);
  });
});
