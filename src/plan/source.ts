import { lstatSync } from "node:fs";

/** Whether a file or folder is there, of whatever kind: the only thing that a plan asks the host. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // A file where a folder should be, a name that is too long, a folder that may not be read.
    return false;
  }
}
