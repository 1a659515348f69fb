import { closeSync, constants, openSync } from "node:fs";
import { type Command, isOpenFile } from "./host.js";
import { makePipe, type Pipe, widen } from "./libc.js";

/** Our ends of a program's pipes; undefined for a stream that is something else. */
type Ends = { stdin?: number; stdout?: number; stderr?: number };

/** What a program has open when it starts: its streams, and folders. */
export class ProgramFiles {
  /** In the order of its own descriptors. */
  readonly list: readonly number[];
  readonly #ours: Ends = {};
  readonly #theirs: number[] = [];

  constructor({ input, output, folders = [], bulk }: Pick<Command, "input" | "output" | "folders" | "bulk">) {
    if (isOpenFile(input)) this.#theirs.push(input.descriptor);
    if (isOpenFile(output)) this.#theirs.push(output.descriptor);
    try {
      this.list = [
        isOpenFile(input) ? input.descriptor : input === undefined ? nothing() : this.#pipe("stdin", "reader", bulk !== undefined),
        isOpenFile(output) ? output.descriptor : this.#pipe("stdout", "writer", bulk !== undefined),
        this.#pipe("stderr", "writer", false),
        ...folders.map((folder) => this.#folder(folder)),
      ];
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Closes what the program has by now, and leaves our ends to the caller. */
  passOn(): Ends {
    const ends = { ...this.#ours };
    for (const name of ["stdin", "stdout", "stderr"] as const) delete this.#ours[name];
    this.close();
    return ends;
  }

  /** Closes everything. */
  close(): void {
    for (const file of [...this.#theirs.splice(0), ...Object.values(this.#ours)]) closeSync(file);
  }

  #pipe(stream: keyof Ends, end: keyof Pipe, isWide: boolean): number {
    const pipe = makePipe();
    this.#theirs.push(pipe[end]);
    this.#ours[stream] = end === "reader" ? pipe.writer : pipe.reader;
    if (isWide) widen(pipe.reader);
    return pipe[end];
  }

  #folder(path: string | Buffer): number {
    const file = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    this.#theirs.push(file);
    return file;
  }
}

let empty: number | undefined;

/** What a program reads that gets no input. */
function nothing(): number {
  empty ??= openSync("/dev/null", "r");
  return empty;
}
