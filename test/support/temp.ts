import { execFileSync } from "node:child_process";
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

/** By rm(1): names that are no UTF-8 cannot be removed by node:fs. */
export function removeFolder(folder: string): void {
  execFileSync("rm", ["-rf", "--", folder]);
}
