import { readFileSync, readlinkSync } from "node:fs";
import { rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { builtin } from "../../base/builtin.js";
import { CommandError, hasCode, NspawnError } from "../../base/errors.js";
import { needingRoom } from "../../host/disk-room.js";
import { removeFile } from "../../host/files.js";
import type { Host } from "../../host/host.js";
import { lockHolder } from "../../host/lock.js";
import type { StoreFiles } from "./files.js";

/**
 * What a mark says by its ending, all of them `extract/<id>.<ending>`, of a layer with that id:
 * - `unsynced`: whether its content is on the disk is not known; a symbolic link to `<boot>/<random>`, the boot that it came in, see random(4)
 * - `synced`: its content is, and it may be that the mark has not gone from the disk yet; so it counts as none, should it come back with a power cut
 * - `refused`: the disk did not take its content, or it may be so
 */
const endings = ["unsynced", "synced", "refused"] as const;
type Ending = (typeof endings)[number];

/**
 * Layers that have come in, and may not be on the disk yet. As long as this boot lasts, with the file system mounted, everybody sees their content,
 * wherever it is. After another boot nobody knows how much of it the disk has got, so they count as not there: a power cut leaves nothing half, and costs a
 * pull. Machines start with the host, so they get only layers without a mark, see {@link sync}.
 *
 * A link has no content that could be lost, and it is made before the layer gets its name, in the same folder: a file system that has the name after a
 * power cut has the link.
 */
export class UnsyncedLayers {
  readonly #root: string;
  readonly #extract: string;
  readonly #host: Host;
  readonly #files: StoreFiles;
  #boot: string | undefined;
  #hasMarked = false;

  constructor(folders: { readonly root: string; readonly extract: string }, host: Host, files: StoreFiles) {
    this.#root = folders.root;
    this.#extract = folders.extract;
    this.#host = host;
    this.#files = files;
  }

  /**
   * Whether a layer may come in before it is on the disk. Not in a container: that may end with this process, and all programs in it, and its next
   * run may be another boot to it.
   */
  get isPossible(): boolean {
    return this.#currentBoot !== "" && readlinkSync("/proc/self/ns/pid") === firstPidNamespace;
  }

  async mark(id: string): Promise<void> {
    this.#hasMarked = true;
    await symlink(`${this.#currentBoot}/${builtin("node:crypto").randomUUID()}`, this.#path(id, "unsynced"));
  }

  /** Whether a layer is not known to be on the disk. It may be here all the same, see {@link isLost}. */
  isDoubtful(id: string): boolean {
    return this.#has(id, "unsynced") || this.#has(id, "refused");
  }

  /** Whether it counts as not there: it was not known to be on the disk when this host went down, or the disk did not take it. */
  isLost(id: string): boolean {
    if (this.#has(id, "refused")) return true;
    const target = this.#target(id, "unsynced");
    return target !== undefined && !target.startsWith(`${this.#currentBoot}/`);
  }

  /** For a layer whose folder is gone. */
  async unmark(id: string): Promise<void> {
    for (const ending of endings) await removeFile(this.#path(id, ending));
  }

  /** Ids of layers that are marked. */
  async all(): Promise<readonly string[]> {
    const names = await this.#files.names(this.#extract, /^[0-9a-f]{16}\.(unsynced|synced|refused)$/);
    return [...new Set(names.map((name) => name.slice(0, 16)))];
  }

  /**
   * Returns when these layers are on the disk.
   * @param onWait called before anything is waited for
   * @throws NspawnError if the disk does not take them: from then on they are not there; CommandError
   */
  async sync(ids: readonly string[], onWait: () => void = () => undefined): Promise<void> {
    if (!ids.some((id) => endings.some((ending) => this.#has(id, ending)))) return;
    onWait();
    await this.#syncMarked();
    const lost = ids.filter((id) => this.isLost(id));
    if (lost.length > 0) throw this.#refusal(`layer ${lost.join(", ")}`);
  }

  /**
   * Has the disk take all that was written to the file system of a folder of the store. The kernel tells what it does not take only once, syncfs(2), so
   * all layers that it may be of are lost then, too; and if all goes well, they are on the disk.
   * @throws CommandError, NspawnError
   */
  async syncFolder(folder: string): Promise<void> {
    if ((await this.#current()).length > 0) await this.#syncMarked();
    try {
      await this.#host.run({ argv: ["sync", "--file-system", folder], mayOutlive: true });
    } catch (error) {
      if (isRefusal(error)) await this.refuse();
      throw error;
    }
  }

  /** From now on no layer counts as there that may not be on the disk: that did not take something. */
  async refuse(): Promise<void> {
    for (const id of await this.#current()) {
      await rename(this.#path(id, "unsynced"), this.#path(id, "refused")).catch(() => undefined);
    }
  }

  /** Begins to have the disk take what has come in, if anything, and leaves it to a program that goes on when this process has ended. */
  async syncLater(): Promise<void> {
    if ((await this.#current()).length === 0) return;
    // One that is at work looks again before it ends; it may have done that already when a layer of ours came.
    if (!this.#hasMarked && (await lockHolder(join(this.#root, "lock"))) !== undefined) return;
    const argv = ["sh", "-c", inBackground, name, syncing, ...this.#places] as const;
    await this.#host.run({ argv, mayOutlive: true, cleansUp: true });
  }

  async #syncMarked(): Promise<void> {
    const argv = ["sh", "-c", syncing, name, ...this.#places] as const;
    const shown = ["sync", "--file-system", this.#extract];
    await needingRoom(this.#extract, () => this.#host.run({ argv, shown, mayOutlive: true })).catch((error: unknown) => {
      throw isRefusal(error) ? this.#refusal("what was pulled", error) : error;
    });
  }

  #refusal(what: string, cause?: CommandError): NspawnError {
    const why = cause ? `: ${cause.output.trim()}` : "";
    return new NspawnError(`the disk of ${this.#extract} does not take ${what}${why}`, {
      hint: "the kernel's log tells what is wrong with the disk; the next try brings it anew",
      cause,
    });
  }

  /** Ids of layers of this boot that may not be on the disk. */
  async #current(): Promise<readonly string[]> {
    return (await this.all()).filter((id) => this.#has(id, "unsynced") && !this.isLost(id));
  }

  #has(id: string, ending: Ending): boolean {
    return this.#target(id, ending) !== undefined;
  }

  get #places(): readonly string[] {
    return [this.#extract, this.#root, this.#currentBoot];
  }

  /** What a mark says; undefined without one, or without the right to look. What is no link says nothing. */
  #target(id: string, ending: Ending): string | undefined {
    try {
      return readlinkSync(this.#path(id, ending));
    } catch (error) {
      if (hasCode(error, "ENOENT", "EACCES")) return undefined;
      if (hasCode(error, "EINVAL")) return "";
      throw error;
    }
  }

  /** Empty where it is not told, as in a sandbox. */
  get #currentBoot(): string {
    this.#boot ??= readBoot();
    return this.#boot;
  }

  #path(id: string, ending: Ending): string {
    return join(this.#extract, `${id}.${ending}`);
  }
}

/** The one that the kernel starts with: PROC_PID_INIT_INO in include/linux/proc_ns.h. */
const firstPidNamespace = "pid:[4026531836]";

function readBoot(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/**
 * For a shell: has the disk take the marked layers of this boot, again and again until there are none, one such shell at a time. It is not ended by the end of a
 * session, or of the host, which wait for it: a pull may be the last that is done before. A mark that was made meanwhile for the same layer is another one: that is
 * looked for while nobody can make one.
 *
 * A mark goes in two steps, since whoever sees none relies on it: should it come back with a power cut, it must not say that the layer is lost, which a machine may have.
 */
const syncing = `
trap '' HUP INT TERM
extract=$1 root=$2 boot=$3
cd "$extract" && exec 9< "$root/lock" && flock 9 || exit
code=0
while :; do
  set --
  for mark in [0-9a-f]*.unsynced; do
    target=$(readlink -- "$mark") || continue
    case $target in "$boot"/*) set -- "$@" "\${mark%.unsynced}" "$target" ;; esac
  done
  [ $# -gt 0 ] || break
  to=synced
  sync --file-system . "$root" || { code=$?; to=refused; }
  # Others say nothing of the disk, as when it was killed.
  [ "$code" -lt 2 ] || exit "$code"
  exec 8< . && flock 8 || exit
  while [ $# -gt 0 ]; do
    if [ "$(readlink -- "$1.unsynced")" = "$2" ]; then mv -- "$1.unsynced" "$1.$to" || [ ! -h "$1.unsynced" ] || exit; fi
    shift 2
  done
  exec 8<&-
done
for mark in [0-9a-f]*.synced; do
  [ -h "$mark" ] || break
  sync . && rm -f -- [0-9a-f]*.synced || exit
done
exit $code
`;

/** Whether sync(1) says that the disk did not take something, and not that it was interrupted, or is not there. */
function isRefusal(error: unknown): error is CommandError {
  return error instanceof CommandError && error.output.includes("error syncing");
}

/** Runs a script of a shell which nobody waits for. */
const inBackground = 'script=$1; shift; sh -c "$script" "$0" "$@" < /dev/null > /dev/null 2>&1 &';

/** By which ps(1) tells what the shell is for. */
const name = "nspawn-sync";
