import { Writable } from "node:stream";
import type { OutputStream } from "../../src/cli/output.js";

/** A stream that keeps what is written to it. */
class Heard extends Writable {
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly rows = 24;
  text = "";

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }

  get lines(): readonly string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

export type HeardStreams = { readonly out: Heard & OutputStream; readonly err: Heard & OutputStream };

export function heardStreams(isTTY = false): HeardStreams {
  return { out: new Heard(isTTY), err: new Heard(isTTY) };
}
