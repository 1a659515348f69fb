import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new empty folder that goes away with the test. Called from a test or a beforeEach hook. */
export function tempFolder(): string {
  const folder = makeTempFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/** A new empty folder that the caller removes. */
export function makeTempFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "nspawn-test-")));
}

/** By rm(1): names that are no UTF-8 cannot be removed by node:fs. What syncs a store that was in use renames marks there meanwhile. */
export function removeFolder(folder: string): void {
  for (let triesLeft = 20; ; triesLeft--) {
    const { status, stderr } = spawnSync("rm", ["-rf", "--one-file-system", "--", folder], { encoding: "utf8" });
    if (status === 0) return;
    if (triesLeft === 0) throw new Error(stderr);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}
