import { closeSync, constants, mkdirSync, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Host } from "./host.js";

/** A pipe that we read from. `writer`: file descriptor of the end for a program, which is closed by whoever has passed it on. */
export type NamedPipe = { readonly reader: Socket; readonly writer: number };

/** To start mkfifo(1) takes longer than to make some more. */
const atOnce = 16;

/**
 * Pipes for the output of users' commands. What Node gives to programs are sockets: those cannot be opened by a name, and
 * `echo hello > /dev/stdout` fails with ENXIO, see open(2).
 */
export class NamedPipes {
  readonly #host: Pick<Host, "run">;
  readonly #folder: string;
  readonly #spare: string[] = [];
  #made = 0;

  /** @param folder one of its own, made when it is needed; whoever owns the folder around it removes it */
  constructor(host: Pick<Host, "run">, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  /** A new pipe, whose name is gone. */
  async open(): Promise<NamedPipe> {
    const path = this.#spare.pop() ?? (await this.#make());
    // Without anyone who writes, to open it would wait for one.
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writer = openSync(path, constants.O_WRONLY);
      unlinkSync(path);
      return { reader: new Socket({ fd: reading, readable: true, writable: false }), writer };
    } catch (error) {
      closeSync(reading);
      throw error;
    }
  }

  async #make(): Promise<string> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, String(this.#made));
    const others = Array.from({ length: atOnce - 1 }, (_, index) => join(this.#folder, String(this.#made + 1 + index)));
    this.#made += atOnce;
    await this.#host.run({ argv: ["mkfifo", "--mode=600", path, ...others] });
    this.#spare.push(...others);
    return path;
  }
}
