import type { OnReadOpts, Socket } from "node:net";
import { largePieces, type PieceSizes, Pieces } from "../host/pieces.js";

/** Gets what comes, piece by piece; `release` is to be called when its memory may be used again, in the same order. */
type TakeAll = (piece: Buffer, release: () => void) => void;

/**
 * Reads a connection into memory that is used again and again. What comes is passed on as to any socket, until somebody opens the tap. While all of the
 * memory is used, the connection is told to stop reading: one without TLS gives nothing then, but one with TLS goes on with what it has decrypted,
 * and that gets memory of its own.
 */
export class Tap {
  /** For connect(). */
  readonly onread: OnReadOpts;
  readonly #pieces: Pieces;
  #socket: Socket | undefined;
  #take: TakeAll | undefined;

  /** @param tls whether the connection itself has TLS */
  constructor({ tls }: { readonly tls: boolean }) {
    this.#pieces = new Pieces(tls ? records : largePieces);
    this.onread = {
      buffer: () => (tls && this.#pieces.areAllUsed ? Buffer.allocUnsafeSlow(records.bytes) : this.#pieces.next),
      callback: (length, memory) => this.#came(Buffer.from(memory.buffer, memory.byteOffset, length)),
    };
  }

  /** The connection, as soon as there is one. */
  set socket(socket: Socket) {
    this.#socket = socket;
  }

  /** From the next byte that comes, all is taken; no listener of the socket gets anything more, but for its end. */
  open(take: TakeAll): void {
    this.#take = take;
  }

  /** @returns whether to read on */
  #came(piece: Buffer): boolean {
    if (!this.#take) return this.#socket?.push(Buffer.from(piece)) ?? false;
    const isShared = piece.buffer === this.#pieces.next.buffer && !this.#pieces.areAllUsed;
    if (isShared) this.#take(this.#pieces.use(piece.length), () => this.#release());
    else this.#take(piece, () => undefined);
    return !this.#pieces.areAllUsed;
  }

  #release(): void {
    if (this.#pieces.release()) this.#socket?.resume();
  }
}

/** With TLS, no piece is larger than a record: RFC 8446, 5.1. */
const records: PieceSizes = { bytes: 1 << 14, count: 64 };
