import { type ByteSource, byteSource } from "../base/byte-source.js";
import { TimeOut } from "./failure.js";

/** What brings a body. `resume`: more may be put; `close`: nothing more is wanted. */
type Bringer = { readonly resume: () => void; readonly close: () => void };

type Piece = { readonly bytes: Buffer; readonly release: () => void };

/** The body of an answer on its way from the connection to its reader, some pieces ahead of that one. */
export class Body {
  /** For the reader. Waits no longer than the time-out for a piece; the time in which it does not wait does not count. */
  readonly source: ByteSource;
  readonly #bringer: Bringer;
  readonly #timer: NodeJS.Timeout;
  readonly #pieces: Piece[] = [];
  /** What the reader has. */
  #read: Piece | undefined;
  #end: "open" | "ended" | { readonly error: Error } = "open";
  #wake: (() => void) | undefined;

  /** @param timeout in milliseconds */
  constructor(timeout: number, bringer: Bringer) {
    this.#bringer = bringer;
    this.source = byteSource(
      () => this.#next(),
      (error) => this.#giveUp(error),
    );
    const late = (): void => {
      if (this.#wake) this.fail(new TimeOut("nothing came for too long (read_timeout in [network])"));
    };
    this.#timer = setTimeout(late, timeout);
  }

  /**
   * @param release is called when its memory is needed no more
   * @returns whether another one is welcome before `resume` is called; who has only so much memory knows that by itself
   */
  put(bytes: Buffer, release: () => void = () => undefined): boolean {
    if (this.#end !== "open") return false;
    this.#pieces.push({ bytes, release });
    this.#goOn();
    return this.#pieces.length < mostAhead;
  }

  /** All has been put. */
  end(): void {
    this.#close("ended");
  }

  /** Nothing more comes. What was put before is still read. */
  fail(error: Error): void {
    this.#close({ error });
  }

  #giveUp(error: Error): void {
    this.#pieces.length = 0;
    this.fail(error);
    this.#end = { error };
  }

  #close(end: "ended" | { readonly error: Error }): void {
    if (this.#end !== "open") return;
    this.#end = end;
    clearTimeout(this.#timer);
    this.#bringer.close();
    this.#goOn();
  }

  async #next(): Promise<Buffer | undefined> {
    this.#read?.release();
    this.#read = undefined;
    if (this.#pieces.length === 0 && this.#end === "open") {
      this.#timer.refresh();
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
    this.#read = this.#pieces.shift();
    if (this.#read) {
      if (this.#pieces.length === mostAhead - 1) this.#bringer.resume();
      return this.#read.bytes;
    }
    if (typeof this.#end === "object") throw this.#end.error;
    return undefined;
  }

  #goOn(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** Pieces of Node's parser that may wait for the reader. */
const mostAhead = 4;
