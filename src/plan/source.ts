import { lstatSync, realpathSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import type { Problem } from "../base/errors.js";
import type { WorkStep } from "./step.js";

/** What a path is, of whatever kind, symlinks not followed; undefined if it is not there. All that a plan asks the host. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // A file where a folder should be, a name that is too long, a folder that may not be read.
    return undefined;
  }
}

/** What is wrong with the files that COPY and CAST name. */
export function checkSources(work: readonly WorkStep[], folder: string): readonly Problem[] {
  return work.flatMap((step) => {
    if (step.kind !== "copy" && step.kind !== "cast") return [];
    const { at, kind, source } = step;
    const problem = (message: string, hint: string): readonly Problem[] => [
      { at, message: `${kind.toUpperCase()}: source ${source} ${message}`, hint },
    ];
    const stats = statOf(source);
    if (!stats) return problem("is not there", "sources lie below the script's own folder");
    if (source !== folder && !isBelow(realpathSync(dirname(source)), folder)) {
      return problem("leads out of the script's folder, through a symlink", `copy what it leads to into ${folder}`);
    }
    if (kind === "cast" && stats.isSymbolicLink()) return problem("is a symlink", "name the file that it leads to");
    if (kind === "cast" && !stats.isFile() && !stats.isDirectory())
      return problem("is no file", "a template is a file, or a folder of files");
    return [];
  });
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
