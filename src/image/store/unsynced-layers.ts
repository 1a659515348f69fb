import { readFileSync, readlinkSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, NspawnError } from "../../base/errors.js";
import { removeFile } from "../../host/files.js";
import type { Host } from "../../host/host.js";
import type { StoreFiles } from "./files.js";

const ending = ".unsynced";

/**
 * Layers that have come in, and may not be on the disk yet: `extract/<id>.unsynced`, a symbolic link to the id of the boot that they came in, see
 * random(4). As long as that lasts, everybody sees their content, wherever it is. After another boot nobody knows how much of it the disk has
 * got, so they count as not there: a power cut leaves nothing half, and a clean end of the host seconds after a pull costs that pull. Machines start
 * with the host, so they get only layers that are {@link settle | settled}.
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

  constructor(folders: { readonly root: string; readonly extract: string }, host: Host, files: StoreFiles) {
    this.#root = folders.root;
    this.#extract = folders.extract;
    this.#host = host;
    this.#files = files;
  }

  async mark(id: string): Promise<void> {
    await symlink(this.#currentBoot, this.#path(id));
  }

  /** Whether a layer's content is not known to be on the disk. It may be here all the same, see {@link isLost}. */
  isMarked(id: string): boolean {
    return this.#bootOf(id) !== undefined;
  }

  /** Whether it was not known to be on the disk when this host went down. */
  isLost(id: string): boolean {
    const boot = this.#bootOf(id);
    return boot !== undefined && boot !== this.#currentBoot;
  }

  /** For a layer whose folder is gone. */
  async unmark(id: string): Promise<void> {
    await removeFile(this.#path(id));
  }

  /** Ids of layers that are marked. */
  async all(): Promise<readonly string[]> {
    const names = await this.#files.names(this.#extract, /^[0-9a-f]{16}\.unsynced$/);
    return names.map((name) => name.slice(0, -ending.length));
  }

  /**
   * Returns when these layers are on the disk.
   * @throws CommandError, NspawnError if the disk does not take them: from then on they are not there
   */
  async settle(ids: readonly string[]): Promise<void> {
    if (!ids.some((id) => this.isMarked(id))) return;
    await this.#host.run({ argv: ["sh", "-c", settling, name, ...this.#places], mayOutlive: true });
    const refused = ids.filter((id) => this.isMarked(id));
    if (refused.length === 0) return;
    throw new NspawnError(`the disk of ${this.#extract} did not take the layer ${refused.join(", ")}, which is gone`, {
      hint: "the kernel's log tells what is wrong with the disk; the next try brings the layer anew",
    });
  }

  /** Begins to settle what has come in, if anything, and leaves it to a program that goes on when this process has ended. */
  async settleLater(): Promise<void> {
    const ids = await this.all();
    if (!ids.some((id) => !this.isLost(id))) return;
    const argv = ["sh", "-c", inBackground, name, settling, ...this.#places] as const;
    await this.#host.run({ argv, mayOutlive: true, cleansUp: true });
  }

  get #places(): readonly string[] {
    return [this.#extract, this.#root, this.#currentBoot];
  }

  /** The boot that a layer's mark tells; undefined without one, or without the right to look. */
  #bootOf(id: string): string | undefined {
    try {
      return readlinkSync(this.#path(id));
    } catch (error) {
      if (hasCode(error, "ENOENT", "EACCES")) return undefined;
      throw error;
    }
  }

  get #currentBoot(): string {
    this.#boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return this.#boot;
  }

  #path(id: string): string {
    return join(this.#extract, `${id}${ending}`);
  }
}

/**
 * For a shell: has the disk take the marked layers of this boot that have a description, one such script at a time. Where the disk does not, they lose that,
 * for good: the kernel tells it only once, see syncfs(2). It would be worse than a pull for nothing if a mark came back with a power cut, when a machine has the
 * layer: so their folder is synced, too.
 */
const settling = `
extract=$1 root=$2 boot=$3
cd "$extract" && exec 9< "$root" && flock 9 || exit
set --
for mark in *${ending}; do
  id=\${mark%${ending}}
  if [ "$(readlink "$mark")" = "$boot" ] && [ -e "$root/layer/$id.json" ]; then set -- "$@" "$id"; fi
done
[ $# -gt 0 ] || exit 0
if sync --file-system "$extract" "$root"; then
  for id; do rm -f "$id${ending}"; done
  sync .
else
  for id; do rm -f "$root/layer/$id.json"; done
  exit 1
fi
`;

/** Runs a script of a shell which nobody waits for. */
const inBackground = 'script=$1; shift; sh -c "$script" "$0" "$@" < /dev/null > /dev/null 2>&1 &';

/** By which ps(1) tells what the shell is for. */
const name = "nspawn-sync";
