import type { OnReadOpts, Socket } from "node:net";
import { Pieces } from "../host/pieces.js";

/** Gets what comes, piece by piece; `release` is to be called when its memory may be used again. */
type TakeAll = (piece: Buffer, release: () => void) => void;

/** Reads a connection into memory that is used again and again. What comes is passed on as to any socket, until somebody opens the tap. */
export class Tap {
  /** For connect(). */
  readonly onread: OnReadOpts;
  readonly #pieces = new Pieces();
  #socket: Socket | undefined;
  #take: TakeAll | undefined;

  constructor() {
    this.onread = { buffer: () => this.#pieces.next, callback: (length) => this.#came(length) };
  }

  /** The connection, as soon as there is one. */
  set socket(socket: Socket) {
    this.#socket = socket;
  }

  /** From the next byte that comes, all is taken; no listener of the socket gets anything more, but for its end. */
  open(take: TakeAll): void {
    this.#take = take;
  }

  #came(length: number): boolean {
    if (!this.#take) return this.#socket?.push(Buffer.from(this.#pieces.next.subarray(0, length))) ?? false;
    this.#take(this.#pieces.use(length), () => {
      if (this.#pieces.release()) this.#socket?.resume();
    });
    return !this.#pieces.areAllUsed;
  }
}
