import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes files below a folder, with the folders that they need: relative path → content. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** A value that has to be there. */
export function there<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("nothing is there");
  return value;
}
