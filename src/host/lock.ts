import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { hasCode } from "../base/errors.js";
import { attempt, statIfSeen } from "./files.js";
import type { Host } from "./host.js";
import { tryLock } from "./libc.js";

/** A lock that is held until it is released, or until this process dies. */
export type Lock = { release(): void };

/** Milliseconds between two tries, at first and at most: whoever has it may have it for minutes. */
const firstPause = 20;
const longestPause = 200;

/**
 * Takes an exclusive lock on a file or folder, by flock(2): the kernel lets go of it when this process ends, in whatever way, so there are no
 * stale locks. Waits for another holder, after saying through `onWait` who that is.
 * @param holder who takes it, for those who wait: `nspawn-build 1234`
 * @throws InterruptedError
 */
export async function takeLock(
  { interrupted }: Pick<Host, "interrupted">,
  path: string,
  holder: string,
  onWait: (other: string) => void,
): Promise<Lock> {
  mkdirSync(dirname(path), { recursive: true });
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    interrupted.throwIfAborted();
    const file = lockAt(path);
    if (file !== undefined) {
      // Without the name, as on a full disk, it is a lock all the same.
      attempt(() => writeFileSync(path, `${holder}\n`));
      return lockOf(file);
    }
    if (pause === firstPause) onWait(holderIn(path));
    await setTimeout(pause);
  }
}

function lockOf(file: number): Lock {
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) closeSync(file);
      isHeld = false;
    },
  };
}

/** Opens and locks a file, made if it is not there, or a folder. Returns undefined if somebody else has the lock. */
function lockAt(path: string): number | undefined {
  for (;;) {
    const file = openAny(path);
    let isOurs = false;
    try {
      if (!tryLock(file)) return undefined;
      // Whoever had it may have removed it meanwhile: then another one may have its name by now.
      isOurs = isAt(file, path);
      if (isOurs) return file;
    } finally {
      if (!isOurs) closeSync(file);
    }
  }
}

/** For writing, as an exclusive lock on NFS needs it. */
function openAny(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    if (!hasCode(error, "EISDIR")) throw error;
    return openSync(path, constants.O_RDONLY);
  }
}

function isAt(file: number, path: string): boolean {
  const [ours, there] = [fstatSync(file), statSync(path, { throwIfNoEntry: false })];
  return there !== undefined && there.dev === ours.dev && there.ino === ours.ino;
}

/**
 * Who holds a lock now, as they have told; undefined if nobody does. Nothing is locked by looking: that could make others wait.
 */
export async function lockHolder(path: string): Promise<string | undefined> {
  const file = statIfSeen(path);
  if (!file) return undefined;
  // proc_locks(5), such as `2: FLOCK  ADVISORY  WRITE 1234 fe:00:1475537 0 EOF`; who only waits has an arrow. The device is not that of
  // stat(2) on every file system.
  const isHeld = textOf("/proc/locks")
    .split("\n")
    .some((line) => /^\d+: FLOCK +ADVISORY +WRITE \S+ [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line)?.[1] === String(file.ino));
  return isHeld ? holderIn(path) : undefined;
}

/** Removes the files in a folder of locks that nobody holds. Returns how many. */
export async function removeFreeLocks(folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const file = lockAt(path);
    if (file === undefined) continue;
    try {
      unlinkSync(path);
      removed++;
    } finally {
      closeSync(file);
    }
  }
  return removed;
}

function holderIn(path: string): string {
  return textOf(path).trim() || "another process";
}

/** What is in a file; nothing, if that cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
