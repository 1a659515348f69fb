import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from "node:fs";

/** Runs lines of sh in a folder; `$1`, `$2`, … are the arguments. */
export function sh(folder: string, script: string, ...args: readonly string[]): string {
  return execFileSync("sh", ["-ec", script, "sh", ...args], { cwd: folder, encoding: "utf8" });
}

/** What is in a tree, a line for each name (in bytes, as latin1): type, mode, owner, time and content. */
export function listTree(root: string, name = ""): readonly string[] {
  const path = name === "" ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, "latin1")]);
  const stats = lstatSync(path);
  const head = `${JSON.stringify(name)} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${Math.floor(stats.mtimeMs / 1000)}`;
  if (!stats.isDirectory()) return [`${head} ${contentOf(path, stats)}`];
  const names = readdirSync(path, { encoding: "latin1" }).sort();
  return [head, ...names.flatMap((below) => listTree(root, name === "" ? below : `${name}/${below}`))];
}

function contentOf(path: Buffer, stats: Stats): string {
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(path, { encoding: "latin1" })}`;
  if (stats.isFile()) return `${stats.size} ${createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16)}`;
  return `device ${stats.rdev}`;
}
