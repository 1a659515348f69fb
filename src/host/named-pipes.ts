import { closeSync, constants, mkdirSync, openSync, unlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "./host.js";

/** A pipe to or from a program: file descriptors. The program's end is closed by whoever has passed it on. */
export type NamedPipe = { readonly reader: number; readonly writer: number };

/**
 * Pipes for programs. What Node gives to them are sockets: those cannot be opened by a name, so that `echo hello > /dev/stdout`
 * fails in users' commands with ENXIO, see open(2), and they cannot be read by {@link readPieces}, nor be {@link widening wide}.
 */
export class NamedPipes {
  readonly #host: Pick<Host, "run">;
  readonly #folder: string;
  readonly #atOnce: number;
  readonly #spare: string[] = [];
  #made = 0;
  #preparing: Promise<void> | undefined;

  /**
   * @param folder one of its own, made when it is needed; whoever owns the folder around it may remove it, too
   * @param atOnce how many are made by one start of mkfifo(1), which takes longer than some more of them
   */
  constructor(host: Pick<Host, "run">, folder: string, atOnce = 16) {
    this.#host = host;
    this.#folder = folder;
    this.#atOnce = atOnce;
  }

  /** Makes some, while there is something else to be done first. Should that fail, {@link open} will say so. */
  prepare(): void {
    this.#preparing ??= this.#make().then(
      (path) => void this.#spare.push(path),
      () => undefined,
    );
  }

  /** A new pipe, whose name is gone. */
  async open(): Promise<NamedPipe> {
    await this.#preparing;
    const path = this.#spare.pop() ?? (await this.#make());
    return openPipe(path);
  }

  /** Removes the folder, with what has not been opened. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #make(): Promise<string> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, String(this.#made));
    const others = Array.from({ length: this.#atOnce - 1 }, (_, index) => join(this.#folder, String(this.#made + 1 + index)));
    this.#made += this.#atOnce;
    await this.#host.run({ argv: ["mkfifo", "--mode=600", path, ...others] });
    this.#spare.push(...others);
    return path;
  }
}

/** Opens a named pipe: for both at first, since each end alone would wait for the other. Its name is gone then. */
export function openPipe(path: string): NamedPipe {
  const opened: number[] = [];
  try {
    for (const flags of [constants.O_RDWR, constants.O_RDONLY, constants.O_WRONLY]) opened.push(openSync(path, flags));
    unlinkSync(path);
    const [both = -1, reader = -1, writer = -1] = opened;
    closeSync(both);
    return { reader, writer };
  } catch (error) {
    for (const file of opened) closeSync(file);
    throw error;
  }
}
