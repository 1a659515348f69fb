import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandError } from "../base/errors.js";
import type { Host } from "./host.js";

/** A lock that is held until it is released, or until this process dies. */
export type Lock = { release(): Promise<void> };

const busy = 75;

/**
 * Takes an exclusive lock on a file, by flock(1): the kernel lets go of it when the process that holds it ends, in whatever
 * way, so there are no stale locks. Waits for another holder, after saying through `onWait` who that is.
 * @param holder who takes it, for those who wait: `nspawn-build 1234`
 */
export async function takeLock(host: Host, path: string, holder: string, onWait: (other: string) => void): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const flock = (...options: string[]) =>
    host.runBeside({ argv: ["flock", "--exclusive", "--no-fork", ...options, path, "sh", "-c", "echo held; exec cat"] });
  const running = await flock("--nonblock", "--conflict-exit-code", String(busy)).catch(async (error: unknown) => {
    if (!(error instanceof CommandError && error.code === busy)) throw error;
    onWait((await readFile(path, "utf8").catch(() => "")).trim() || "another process");
    return flock();
  });
  const file = await open(path, "w");
  await file.writeFile(`${holder}\n`).finally(() => file.close());
  return { release: () => running.close() };
}
