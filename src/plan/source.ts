import { lstatSync, realpathSync, type Stats } from "node:fs";
import { dirname, relative } from "node:path";
import type { Problem } from "../base/errors.js";
import { isWithin } from "../base/is-within.js";
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
    const trouble = sourceTrouble(source, folder, kind === "copy" ? "anything" : "templates");
    if (!trouble) return [];
    // As most scripts write it.
    const near = `/${relative(folder, source)}`;
    return [{ at, message: `${kind.toUpperCase()}: source ${source} ${trouble.message}`, hint: trouble.hint, near }];
  });
}

/** What a source may be: whatever there is, a template or a folder of templates, or one template. */
type SourceKind = "anything" | "templates" | "template";

/** What is wrong with a path in the script's folder, as it goes on after the path; undefined if nothing is. */
export function sourceTrouble(source: string, folder: string, kind: SourceKind): Pick<Problem, "message" | "hint"> | undefined {
  const stats = statOf(source);
  if (!stats) return { message: "is not there", hint: "sources lie below the script's own folder" };
  if (source !== folder && !isWithin(realpathSync(dirname(source)), folder)) {
    return { message: "leads out of the script's folder, through a symlink", hint: `copy what it leads to into ${folder}` };
  }
  if (kind === "anything" || stats.isFile()) return undefined;
  if (stats.isSymbolicLink()) return { message: "is a symlink", hint: "name the file that it leads to" };
  if (kind === "template") return { message: "is no file", hint: "the template of a unit is one file" };
  return stats.isDirectory() ? undefined : { message: "is no file", hint: "a template is a file, or a folder of files" };
}
