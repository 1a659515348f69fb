import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";

/**
 * Gets what comes out of a program, piece by piece, in order. `done` is to be called once for each, in the same order: from then on its memory is
 * used for another piece. With an error, nothing more is read.
 */
export type TakePiece = (piece: Buffer, done: (error?: Error) => void) => void;

/**
 * Reads a pipe to its end, always into the same memory: a stream of Node's takes new memory for each piece, which the kernel has to find, to map
 * and to clear, and that takes longer than to copy what is in it.
 * @param file the end of the pipe to read from; it is closed
 * @returns when all has been taken
 * @throws the error that a piece was `done` with
 */
export function readPieces(file: number, take: TakePiece): Promise<void> {
  const pieces = Array.from({ length: count }, () => Buffer.allocUnsafeSlow(size));
  let [next, taken, hasEnded] = [0, 0, false];
  return new Promise((done, fail) => {
    const finish = (): void => {
      if (hasEnded && taken === 0) done();
    };
    const release = (error?: Error): void => {
      if (error) {
        pipe.destroy();
        fail(error);
        return;
      }
      // All were in use, and so nothing was read.
      if (taken-- === count) pipe.resume();
      finish();
    };
    const onread: OnReadOpts = {
      buffer: () => pieces[next] as Buffer,
      callback: (length, piece) => {
        next = (next + 1) % count;
        taken++;
        take(Buffer.from(piece.buffer, piece.byteOffset, length), release);
        return taken < count;
      },
    };
    // The types have `onread` for connect() alone.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { fd: file, readable: true, writable: false, onread };
    const pipe = new Socket(options);
    pipe.once("error", fail);
    pipe.once("close", () => {
      hasEnded = true;
      finish();
    });
    pipe.resume();
  });
}

/** Bytes of a piece: a pipe does not hold more, see pipe(7). */
const size = 1 << 16;

/** Pieces that may be on their way. */
const count = 16;
