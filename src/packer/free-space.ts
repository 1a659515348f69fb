import { statfs } from "node:fs/promises";
import { NspawnError } from "../base/errors.js";
import { showRoom, storeAdvice } from "../host/disk-room.js";

/**
 * Watches that extracting an archive leaves some room on the disk: a file system that is quite full stops everything else on the host.
 * Left free are {@link mostReserve}, or 1 % of a small one.
 */
export class FreeSpace {
  readonly #archive: string;
  readonly #folder: string;
  /** Bytes that may be written before it looks again. */
  #unseen = 0;

  /**
   * @param archive what it is, for errors
   * @param folder a folder on the file system
   */
  constructor(archive: string, folder: string) {
    this.#archive = archive;
    this.#folder = folder;
  }

  /**
   * Whether the archive itself, which is hardly larger than what is in it, would fit.
   * @throws NspawnError if not
   */
  async checkFits(bytes: number): Promise<void> {
    const usable = await this.#usable();
    if (usable < bytes) throw this.#full(`the archive alone has ${showRoom(bytes)}, and ${showRoom(usable)} can be used`);
  }

  /** Bytes that may be counted before it looks again. */
  get left(): number {
    return Math.max(0, Math.ceil(this.#unseen) - 1);
  }

  /** Counts bytes that are about to be written. Undefined: there is room. @throws NspawnError */
  wrote(bytes: number): Promise<void> | undefined {
    this.#unseen -= bytes;
    return this.#unseen > 0 ? undefined : this.#look();
  }

  async #look(): Promise<void> {
    const usable = (await this.#usable()) - onTheWay;
    if (usable <= 0) throw this.#full("it would be quite full");
    // Many small files take more than their size: a block each, and an inode.
    this.#unseen = Math.min(usable / 16, mostUnseen);
  }

  async #usable(): Promise<number> {
    const { bsize, blocks, bavail } = await statfs(this.#folder);
    return bsize * bavail - Math.min(mostReserve, (bsize * blocks) / 100);
  }

  #full(why: string): NspawnError {
    return new NspawnError(`there is not enough room on the disk of ${this.#folder} to extract ${this.#archive}: ${why}`, {
      hint: storeAdvice,
    });
  }
}

const mostReserve = 64 << 20;
/** Bytes that may have been counted and are not yet written: in our buffers, and in the pipe of the program that writes. */
const onTheWay = 5 << 19;
const mostUnseen = 32 << 20;
