import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/**
 * Gets what comes out of a program, piece by piece, in order. `done` is to be called once for each, in the same order: from then on its memory is
 * used for another piece. With an error, nothing more is read.
 */
export type TakePiece = (piece: Buffer, done: (error?: Error) => void) => void;

/** Takes what comes out of a program. */
export type PieceTaker = {
  readonly take: TakePiece;
  /**
   * Moves on what nobody needs to see, as far as that can be done at once, straight from the pipe that pieces are read from. It is called when all before
   * is done.
   * @returns how many bytes are still to come that nobody needs to see
   */
  readonly pass?: (from: number) => number;
};

/** Moves up to so many bytes from a pipe to where a program reads them. @returns how many, 0 where that cannot be done at once */
export type MoveFrom = (pipe: number, most: number) => number;

/**
 * Memory that a socket reads into, always the same: a stream of Node's takes new memory for each piece, which the kernel has to find, to map
 * and to clear, and that takes longer than to copy what is in it. Pieces are used in turns, and released in the same order.
 */
export class Pieces {
  readonly #sizes: PieceSizes;
  readonly #memory: Buffer[] = [];
  #next = 0;
  #used = 0;

  constructor(sizes: PieceSizes) {
    this.#sizes = sizes;
  }

  /** Where the next bytes are to be read to, once not all pieces are used. */
  get next(): Buffer {
    this.#memory[this.#next] ??= Buffer.allocUnsafeSlow(this.#sizes.bytes);
    return this.#memory[this.#next] as Buffer;
  }

  /**
   * The first bytes of the next piece, which is used from now on.
   * @throws Error if all are used
   */
  use(length: number): Buffer {
    if (this.areAllUsed) throw new Error("a piece that is used was read into");
    const piece = this.next.subarray(0, length);
    this.#next = (this.#next + 1) % this.#sizes.count;
    this.#used++;
    return piece;
  }

  /** @returns whether all were used, so that nothing was to be read */
  release(): boolean {
    return this.#used-- === this.#sizes.count;
  }

  get areAllUsed(): boolean {
    return this.#used === this.#sizes.count;
  }

  get isNoneUsed(): boolean {
    return this.#used === 0;
  }
}

/** How large pieces are, and how many may be on their way. */
export type PieceSizes = { readonly bytes: number; readonly count: number };

/** For pipes and connections. A quarter of the size, and four times as many, took a pull of 1 GB a twentieth more time. */
export const largePieces: PieceSizes = { bytes: 1 << 18, count: 4 };

/** Where most is moved on, no more is read than it takes to notice that something is there. */
const glance = 1 << 12;

/**
 * Reads a pipe to its end.
 * @param file the end of the pipe to read from; it is closed
 * @returns when all has been taken
 * @throws the error that a piece was `done` with
 */
export function readPieces(file: number, { take, pass = () => 0 }: PieceTaker): Promise<void> {
  const pieces = new Pieces(largePieces);
  let [unseen, hasEnded] = [0, false];
  return new Promise((done, fail) => {
    const settle = (): void => {
      if (!pieces.isNoneUsed) return;
      if (hasEnded) done();
      else if (!pipe.destroyed) unseen = pass(file);
    };
    const release = (error?: Error): void => {
      if (error) {
        pipe.destroy();
        fail(error);
        return;
      }
      if (pieces.release()) pipe.resume();
      settle();
    };
    const onread: OnReadOpts = {
      buffer: () => (unseen > largePieces.bytes ? pieces.next.subarray(0, glance) : pieces.next),
      callback: (length) => {
        take(pieces.use(length), release);
        return !pieces.areAllUsed;
      },
    };
    // The types have `onread` for connect() alone.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { fd: file, readable: true, writable: false, onread };
    const pipe = new Socket(options);
    pipe.once("error", fail);
    pipe.once("close", () => {
      hasEnded = true;
      settle();
    });
    pipe.resume();
  });
}
