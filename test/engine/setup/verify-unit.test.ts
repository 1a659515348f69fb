import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Call } from "../../../src/dsl/call.js";
import type { ActionContext } from "../../../src/engine/setup/action.js";
import { verifyUnit } from "../../../src/engine/setup/verify-unit.js";
import { machinePaths } from "../../../src/machine/paths.js";
import { planSetup } from "../../../src/plan/setup-plan.js";
import { storeContext } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { tempFolder } from "../../support/temp.js";

let folder: string;

beforeEach(() => {
  folder = tempFolder();
});

/** Verifies a unit of these lines of [Service], some of which the script gives in MACHINE. */
async function verify(lines: readonly string[], serviceConf: readonly string[]): Promise<void> {
  const path = join(folder, "setup.ts");
  writeFileSync(path, `IMAGE("file:///a.tar.gz");\nMACHINE({ name: "web",\n  serviceConf: ${JSON.stringify(serviceConf)} });\n`);
  const at = (line: number) => ({ file: path, line });
  const calls: readonly Call[] = [
    { keyword: "IMAGE", args: ["file:///a.tar.gz"], at: at(1) },
    { keyword: "MACHINE", args: [{ name: "web", serviceConf }], at: at(2) },
  ];
  const config = testConfig(join(folder, "store"));
  const plan = planSetup({ path, folder, kind: "setup", calls });
  const context = { ...(await storeContext(folder)), config, plan, paths: machinePaths("web", config) };
  await verifyUnit(context as unknown as ActionContext, ["[Service]", "ExecStart=/bin/true", ...lines, ...serviceConf, ""].join("\n"));
}

describe("verifyUnit", () => {
  test("what systemd takes is right", async () => {
    await expect(verify([], ["CPUQuota=50%"])).resolves.toBeUndefined();
  });

  test("a line of the script that it refuses is told where it stands in MACHINE, with systemd's own words", async () => {
    await expect(verify([], ["CPUQuota=50%", "ExecStartPre=relative/path"])).rejects.toMatchObject({
      exitCode: 1,
      problems: [
        {
          at: { line: 3 },
          near: "ExecStartPre=relative/path",
          message: "systemd refuses the unit web.service for this line of serviceConf: ExecStartPre=relative/path",
          cause: { output: expect.stringContaining("Neither a valid executable name nor an absolute path") },
        },
      ],
    });
  });

  test("anything else at MACHINE, with where to look", async () => {
    await expect(verify(["ExecStart=/bin/false"], [])).rejects.toMatchObject({
      problems: [
        { at: { line: 2 }, message: "systemd refuses the unit web.service", hint: expect.stringContaining("template of MACHINE") },
      ],
    });
  });
});
