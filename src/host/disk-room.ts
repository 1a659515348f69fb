import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandError, hasCode, messageOf, NspawnError } from "../base/errors.js";

/**
 * Does something that takes room on a disk.
 * @param folder on that disk; it need not be there
 * @param advice how to make room; that for the store by default
 * @throws what `work` throws; where the system or a program found no room, bytes or inodes, an NspawnError with what is left, and `advice`
 */
export async function needingRoom<T>(folder: string, work: () => Promise<T>, advice = storeAdvice): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!saysFull(error) && !isDoubtful(error)) throw error;
    const room = await roomOn(folder);
    if (!saysFull(error) && !isFull(room)) throw error;
    throw new NspawnError(whatFailed(error, folder), { cause: error, hint: `the disk of ${folder} has ${left(room)}: ${advice}` });
  }
}

/** What to do about a disk of the store that is full. */
export const storeAdvice = "make room there, by nspawn prune or otherwise, or put [storage] root on another disk";

/** Bytes, rounded down: `300 KiB`, `12 MiB`. */
export function showRoom(bytes: number): string {
  const kibibytes = Math.max(0, Math.floor(bytes / 1024));
  return kibibytes < 1024 ? `${kibibytes} KiB` : `${Math.floor(kibibytes / 1024)} MiB`;
}

type Room = { readonly bytes: number; readonly inodes: number | undefined };

/** What root can still use. Of some file systems, as btrfs, the inodes have no end. */
async function roomOn(folder: string): Promise<Room> {
  const stats = await statfs(folder).catch((error: unknown) => {
    if (dirname(folder) === folder) throw error;
  });
  if (!stats) return roomOn(dirname(folder));
  const { bsize, bfree, files, ffree } = stats;
  return { bytes: bsize * bfree, inodes: files === 0 ? undefined : ffree };
}

function left({ bytes, inodes }: Room): string {
  return inodes === undefined ? `${showRoom(bytes)} left` : `${showRoom(bytes)} and ${inodes} inodes left`;
}

/** A program's own words come with it. */
function whatFailed(error: unknown, folder: string): string {
  return isOfSystem(error) ? `the disk of ${folder} is full: ${[error.syscall, error.path].join(" ").trim()}` : messageOf(error);
}

/** Less than what any work needs. */
function isFull({ bytes, inodes }: Room): boolean {
  return bytes < 1 << 16 || inodes === 0;
}

/** strerror(3) of ENOSPC and EDQUOT, which programs write. */
const programsWords = /No space left on device|Disk quota exceeded/i;

function saysFull(error: unknown): boolean {
  if (error instanceof CommandError) return programsWords.test(error.output);
  return hasCode(error, "ENOSPC", "EDQUOT") || (error instanceof NspawnError && error.hint === undefined && saysFull(error.cause));
}

/** Node's recursive mkdir says ENOENT where the disk is full, and some programs tell of an I/O error (head of BusyBox), or of nothing. */
function isDoubtful(error: unknown): boolean {
  return error instanceof CommandError || (isOfSystem(error) && error.code === "ENOENT" && error.syscall === "mkdir");
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "errno" in error;
}
