import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CommandError } from "../../../src/base/errors.js";
import type { Host } from "../../../src/host/host.js";
import { LocalHost } from "../../../src/host/local.js";
import { folderBytes } from "../../../src/image/store/folder-bytes.js";
import { writeFiles } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

test("all that is in a folder is counted as it lies on disk", async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "empty"));
  writeFiles(folder, { "full/a/b": "x".repeat(50_000) });
  const [empty, full] = await Promise.all(["empty", "full"].map((name) => folderBytes(new LocalHost(), join(folder, name))));
  expect(full).toBeGreaterThanOrEqual(50_000 + (empty ?? 0));
});

test("what is not there has none", async () => {
  expect(await folderBytes(new LocalHost(), join(tempFolder(), "none"))).toBe(0);
});

test("what is removed meanwhile counts as far as it was seen, and every other failure is one", async () => {
  const failing = (error: Error): Pick<Host, "run"> => ({
    run({ output }) {
      if (typeof output === "function") output("4096\t/x");
      return Promise.reject(error);
    },
  });
  const vanished = new CommandError({ argv: ["du"], code: 1, output: "du: cannot access '/x/a': No such file or directory" });
  expect(await folderBytes(failing(vanished) as Host, "/x")).toBe(4096);
  await expect(folderBytes(failing(new Error("defect")) as Host, "/x")).rejects.toThrow("defect");
});
