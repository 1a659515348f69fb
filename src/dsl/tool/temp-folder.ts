import { lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, processName } from "../../base/process-id.js";

/**
 * Gives a function that makes private temporary folders (mode 0700), `nspawn-PID-START-RANDOM`. They are removed when the process ends, by
 * itself or by an error. What a signal ends leaves them to the next process that makes one: to listen for signals would keep them from a
 * script that loops without end, which Ctrl-C has to be able to end.
 */
export function tempFolders(): () => string {
  const folders: string[] = [];
  return () => {
    if (folders.length === 0) {
      removeAll(leftovers(tmpdir()));
      process.once("exit", () => removeAll(folders));
    }
    const folder = mkdtempSync(join(tmpdir(), `nspawn-${processName() ?? process.pid}-`));
    folders.push(folder);
    return folder;
  };
}

/** The folders of this user's processes that have ended. */
function leftovers(parent: string): readonly string[] {
  return namesIn(parent)
    .filter((name) => {
      const owner = /^nspawn-(\d+-\d+)-[A-Za-z0-9]{6}$/.exec(name)?.[1];
      return owner !== undefined && !isAlive(owner);
    })
    .map((name) => join(parent, name))
    .filter(isOwnFolder);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // What cannot be listed may be good enough to make a folder in.
    return [];
  }
}

function isOwnFolder(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

function removeAll(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // It is in nobody's way, and the others have to go.
    }
  }
}
