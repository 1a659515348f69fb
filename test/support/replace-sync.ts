import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { tempFolder } from "./temp.js";

/** Puts a script in the place of sync(1), until the test ends. @returns the lines of its log, `$log` in the script */
export function replaceSync(script: string): () => readonly string[] {
  const folder = tempFolder();
  const log = join(folder, "log");
  writeFileSync(join(folder, "sync"), `#!/bin/sh\nlog=${log}\n${script}\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => (existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : []);
}
