import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Gives a function that makes private temporary folders (mode 0700), which are removed when the process ends: by itself, by an error,
 * or by a signal that can be caught.
 */
export function tempFolders(): () => string {
  const folders: string[] = [];
  return () => {
    if (folders.length === 0) atEnd(() => removeAll(folders));
    const folder = mkdtempSync(join(tmpdir(), "nspawn-"));
    folders.push(folder);
    return folder;
  };
}

function removeAll(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // The process ends: there is nobody left to tell, and the others have to go.
    }
  }
}

/** A signal ends a process without the event "exit": so it is taken, answered, and sent again. */
function atEnd(clean: () => void): void {
  process.once("exit", clean);
  for (const signal of signals) {
    const end = (): void => {
      // Whoever else takes the signal decides when the process ends, and then there is an exit.
      if (process.listenerCount(signal) > 1) return;
      clean();
      process.off(signal, end);
      process.kill(process.pid, signal);
    };
    process.on(signal, end);
  }
}
