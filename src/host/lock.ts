import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CommandError } from "../base/errors.js";
import type { Host } from "./host.js";

/** A lock that is held until it is released, or until this process dies. */
export type Lock = { release(): Promise<void> };

/** Exit codes: somebody else has the lock; the file was removed while it was waited for. */
const busy = 75;
const gone = 76;

/** Says that it has the lock, and keeps it as long as its input is open; unless the file that it has is no more the one of that name. */
const holdIfThere = `for open in /proc/self/fd/*; do if [ "$open" -ef "$1" ]; then echo held; read -r end; exit 0; fi; done; exit ${gone}`;

/**
 * Takes an exclusive lock on a file or folder, by flock(1): the kernel lets go of it when the process that holds it ends, in whatever
 * way, so there are no stale locks. Waits for another holder, after saying through `onWait` who that is.
 * @param holder who takes it, for those who wait: `nspawn-build 1234`
 */
export async function takeLock(host: Host, path: string, holder: string, onWait: (other: string) => void): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const flock = (...options: string[]) =>
    host.runBeside({ argv: ["flock", "--exclusive", "--no-fork", ...options, path, "sh", "-c", holdIfThere, "sh", path] });
  for (;;) {
    try {
      const running = await flock("--nonblock", "--conflict-exit-code", String(busy)).catch(async (error: unknown) => {
        if (!endedWith(error, busy)) throw error;
        onWait(await holderIn(path));
        return flock();
      });
      // Without the name, as on a full disk, it is a lock all the same.
      await writeFile(path, `${holder}\n`).catch(() => undefined);
      return { release: () => running.close() };
    } catch (error) {
      if (!endedWith(error, gone)) throw error;
    }
  }
}

/**
 * Who holds a lock now, as they have told; undefined if nobody does. Nothing is locked by looking: that could make others wait.
 */
export async function lockHolder(path: string): Promise<string | undefined> {
  const file = await stat(path).catch(() => undefined);
  if (!file) return undefined;
  // proc_locks(5), such as `2: FLOCK  ADVISORY  WRITE 1234 fe:00:1475537 0 EOF`; who only waits has an arrow. The device is not that of
  // stat(2) on every file system.
  const isHeld = (await readFile("/proc/locks", "latin1").catch(() => ""))
    .split("\n")
    .some((line) => /^\d+: FLOCK +ADVISORY +WRITE \S+ [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line)?.[1] === String(file.ino));
  return isHeld ? holderIn(path) : undefined;
}

/** Removes the files in a folder of locks that nobody holds. Returns how many. */
export async function removeFreeLocks(host: Host, folder: string): Promise<number> {
  const names = await readdir(folder);
  const script = 'for lock; do flock --nonblock "$lock" rm "$lock" && echo removed; done; true';
  let removed = 0;
  await host.run({ argv: ["sh", "-c", script, "sh", ...names.map((name) => join(folder, name))], output: () => void removed++ });
  return removed;
}

async function holderIn(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim() || "another process";
}

function endedWith(error: unknown, code: number): boolean {
  return error instanceof CommandError && error.code === code;
}
