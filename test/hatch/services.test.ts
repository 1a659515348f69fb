import { join } from "node:path";
import { expect, test } from "vitest";
import { findService, packagedServices } from "../../src/hatch/services.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

test("the packaged services have a name, both scripts, and a line that says what they do", () => {
  const services = packagedServices();
  expect(services.map(({ name }) => name)).toContain("image-server");
  for (const { name, folder, build, setup, summary } of services) {
    expect([build, setup]).toEqual([`${folder}/build.ts`, `${folder}/setup.ts`]);
    expect(summary, name).toMatch(/^[A-Z].*\.$/);
  }
});

test("a service is found by its name or its folder; a wrong one is told with what there is", () => {
  const folder = tempFolder();
  writeFiles(folder, {
    "mine/build.ts": "",
    "mine/setup.ts": "",
    "mine/README.md": "# mine\n\nServes\ncakes.\n\nMore.\n",
    "half/build.ts": "",
  });
  expect(findService(`${folder}/mine`)).toMatchObject({ name: "mine", summary: "Serves cakes.", setup: join(folder, "mine/setup.ts") });
  expect(findService("image-server").name).toBe("image-server");
  expect(() => findService("image-sever")).toThrow(/there is no service "image-sever"; there are .*image-server/);
  expect(() => findService(`${folder}/half`)).toThrow(/half is no service: it has no setup\.ts/);
  expect(() => findService(`${folder}/none`)).toThrow(/it has no build\.ts and no setup\.ts/);
});
