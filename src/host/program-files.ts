import { closeSync, constants, openSync } from "node:fs";
import { Readable } from "node:stream";
import { type Command, isOpenFile } from "./host.js";
import { makePipe, type Pipe, widen } from "./libc.js";

/** Our ends of a program's pipes; undefined for a stream that is something else. */
type Ends = { stdin?: number; stdout?: number; stderr?: number };

/** What a program has open when it starts: its streams, and folders. What the command brings along, open, is not closed here. */
export class ProgramFiles {
  /** In the order of its own descriptors. */
  readonly list: readonly number[];
  #ours: Ends = {};
  readonly #theirs: number[] = [];

  constructor({ input, output, folders = [], bulk }: Pick<Command, "input" | "output" | "folders" | "bulk">) {
    try {
      this.list = [
        isOpenFile(input) ? input.descriptor : input === undefined ? nothing() : this.#pipe("stdin", "reader", bulk !== undefined),
        isOpenFile(output) ? output.descriptor : this.#pipe("stdout", "writer", bulk?.take !== undefined),
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
    const ends = this.#ours;
    this.#ours = {};
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

/** Closes what a command brings along, open: the program has it. */
export function closeGiven({ input, output }: Pick<Command, "input" | "output">): void {
  for (const stream of [input, output]) if (isOpenFile(stream)) closeSync(stream.descriptor);
}

/** The same of one that is not started; and whatever writes its input has to be able to finish. Other sources are given up by whoever has them. */
export function drop(command: Pick<Command, "input" | "output">): void {
  closeGiven(command);
  if (command.input instanceof Readable) command.input.resume();
}

let empty: number | undefined;

/** What a program reads that gets no input. */
function nothing(): number {
  empty ??= openSync("/dev/null", "r");
  return empty;
}
