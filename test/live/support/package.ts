import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the package as its users get it: packed, then installed by `npm install --global --prefix`. */
    readonly prefix: string;
  }
}

/** Installs the package once for all live tests: what they run is what users run. */
export default function setup(project: TestProject): () => void {
  const prefix = mkdtempSync(join(tmpdir(), "nspawn-package-"));
  // For all users of a host to see, as /usr/local is.
  chmodSync(prefix, 0o755);
  const root = new URL("../../..", import.meta.url).pathname;
  const script = 'project=$1; source "$project/scripts/lib/packages.sh"; source "$project/scripts/lib/prepare.sh"; install_package "$2"';
  execFileSync("bash", ["-euo", "pipefail", "-c", script, "bash", root.replace(/\/$/, ""), prefix], { stdio: "inherit" });
  project.provide("prefix", prefix);
  return () => rmSync(prefix, { recursive: true });
}
