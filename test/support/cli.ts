import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

export type CliResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** The commands, built in a folder of their own: whatever happens to `dist` meanwhile. */
export type Cli = {
  /** What is in `dist` of a package. */
  readonly dist: string;
  run(command: "nspawn-build" | "nspawn-setup", args: readonly string[], cwd?: string): Promise<CliResult>;
};

export function compileCli(folder: string): Cli {
  const dist = join(folder, "dist");
  mkdirSync(dist, { recursive: true });
  copyFileSync(join(project, "package.json"), join(folder, "package.json"));
  for (const name of ["node_modules", "templates"]) symlinkSync(join(project, name), join(folder, name));
  const compiled = join(folder, "build");
  const options = ["-p", join(project, "tsconfig.build.json"), "--outDir", compiled, "--declarationDir", join(folder, "types")];
  execFileSync(process.execPath, [join(project, "node_modules/typescript/bin/tsc"), ...options]);
  execFileSync(process.execPath, [join(project, "scripts/bundle.mjs"), compiled, dist]);
  return { dist, run: (command, args, cwd = folder) => run(join(dist, "cli", `${command}.cjs`), args, cwd) };
}

async function run(program: string, args: readonly string[], cwd: string): Promise<CliResult> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done, fail) => child.once("close", done).once("error", fail));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
