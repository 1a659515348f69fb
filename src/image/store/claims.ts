import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtin } from "../../base/builtin.js";
import { isAlive, processName } from "../../base/process-id.js";
import { needingRoom } from "../../host/disk-room.js";
import type { StoreFiles } from "./files.js";

/** A layer that a running process uses, or is about to use. */
export type Claim = { readonly layer: string; readonly pid: number };

/**
 * Which layers running processes use: an empty file `use/<pid>-<start>-<random>/<layer id>` each. A process claims a layer before it
 * looks whether that is there; who removes layers looks for claims after the layer counts as not there (see {@link Layers.takeAway}).
 */
export class Claims {
  readonly #folder: string;
  readonly #files: StoreFiles;
  #ownName: string | undefined;
  readonly #claimed = new Set<string>();

  /** @param root folder of the store */
  constructor(root: string, files: StoreFiles) {
    this.#folder = join(root, "use");
    this.#files = files;
  }

  get #own(): string {
    this.#ownName ??= `${processName()}-${builtin("node:crypto").randomUUID()}`;
    return this.#ownName;
  }

  async claim(layer: string): Promise<void> {
    if (this.#claimed.has(layer)) return;
    const folder = join(this.#folder, this.#own);
    await needingRoom(this.#folder, async () => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, layer), "");
    });
    this.#claimed.add(layer);
  }

  /** Gives up what this process has claimed. */
  async release(): Promise<void> {
    this.#claimed.clear();
    rmSync(join(this.#folder, this.#own), { recursive: true, force: true });
  }

  /** What other running processes have claimed. */
  async ofOthers(): Promise<readonly Claim[]> {
    return this.#claimsOf((await this.#processes()).filter((name) => name !== this.#own));
  }

  /** The same, with what this one has claimed. */
  async all(): Promise<readonly Claim[]> {
    return this.#claimsOf(await this.#processes());
  }

  async #claimsOf(names: readonly string[]): Promise<readonly Claim[]> {
    const processes = names.filter((name) => isAlive(ownerOf(name)));
    const claims = await Promise.all(
      processes.map(async (name) => {
        const layers = await this.#files.names(join(this.#folder, name), /^[0-9a-f]{16}$/);
        return layers.map((layer) => ({ layer, pid: Number.parseInt(name, 10) }));
      }),
    );
    return claims.flat();
  }

  /** Removes the claims of processes that were killed. */
  async sweep(): Promise<void> {
    for (const name of await this.#processes()) {
      if (!isAlive(ownerOf(name))) rmSync(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  #processes(): Promise<readonly string[]> {
    return this.#files.names(this.#folder, /^\d+-\d+-/);
  }
}

function ownerOf(name: string): string {
  return /^\d+-\d+/.exec(name)?.[0] ?? "";
}
