import { describe, expect, test } from "vitest";
import { serviceConfProblems } from "../../src/plan/service-conf.js";
import type { MachineSpec } from "../../src/plan/step.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const machine: MachineSpec = { name: "web", template: undefined, unitConf: [], serviceConf: [], installConf: [], state: "volatile" };
const problemsOf = (serviceConf: readonly string[], more: Partial<MachineSpec> = {}, file = "/srv/setup.ts") =>
  serviceConfProblems({ kind: "machine", at: { file, line: 1 }, machine: { ...machine, serviceConf, ...more } });

describe("serviceConfProblems", () => {
  test.each([
    "ExecStart=/bin/true",
    "ExecStart=",
    "Type=simple",
    "Type=oneshot",
    "WorkingDirectory=/srv",
    "ExecStartPre=",
    "ExecStopPost=",
    "Environment=",
  ])("%s is refused, with what would be right", (line) => {
    const [problem, ...others] = problemsOf([line]);
    expect(problem?.message).toContain(`MACHINE: serviceConf[0]: ${line}: `);
    expect(problem?.hint).toBeTruthy();
    expect(others).toEqual([]);
  });

  test.each([
    "Type=notify",
    "CPUQuota=50%",
    "ExecStartPre=/bin/true",
    "ExecStopPost=-/bin/true",
    "Environment=A=1",
    "TimeoutStartSec=5min",
  ])("%s goes with the rest of the unit", (line) => {
    expect(problemsOf([line])).toEqual([]);
  });

  test("each is told at its own line in the call", () => {
    const folder = tempFolder();
    writeFiles(folder, { "setup.ts": 'MACHINE({ name: "web", serviceConf: [\n  "CPUQuota=5%",\n  "Type=exec",\n  "ExecStart=/a",\n]});' });
    expect(problemsOf(["CPUQuota=5%", "Type=exec", "ExecStart=/a"], {}, `${folder}/setup.ts`)).toMatchObject([
      { at: { line: 3 }, near: "Type=exec", column: 3 },
      { at: { line: 4 }, near: "ExecStart=/a" },
    ]);
  });

  test("a template of the script's own may leave all of that to serviceConf", () => {
    expect(problemsOf(["ExecStart=/bin/true"], { template: "/srv/own.service" })).toEqual([]);
  });
});
