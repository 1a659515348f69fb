import type { Writable } from "node:stream";
import type { ByteSource } from "../base/byte-source.js";
import type { MoveFrom, PieceTaker } from "./pieces.js";
import type { Program } from "./programs.js";

/** A program to start: its name first, then its arguments, as they are. */
export type Argv = readonly [Program, ...string[]];

/** A file that is open, or an end of a pipe, for a program: closed here when it has it, or cannot be started. */
export type OpenFile = { readonly descriptor: number };

export type Command = {
  readonly argv: Argv;
  /** What to show in errors instead of `argv`, where the user's own command is wrapped in ours. */
  readonly shown?: readonly string[];
  /** The whole environment of the program; by default where to look for programs, and nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Folders that the program reaches as {@link openFolder}: their names may be any bytes, and need no quoting for anyone. */
  readonly folders?: readonly (string | Buffer)[];
  /**
   * What the program reads; nothing by default. A function gets what is to be written to and ended, and what moves bytes there from another pipe once
   * all that was written is gone. The program may end before that has been read: that is no error, and what is still written goes nowhere.
   */
  readonly input?: ByteSource | string | ((to: Writable, moveFrom: MoveFrom) => void) | OpenFile;
  /** What it has not read when it ends is not read to its end, but given up. */
  readonly dropsInput?: boolean;
  /** Where its standard output goes: a stream, a function that gets each line, or a file; collected as text by default. */
  readonly output?: Writable | ((line: string) => void) | OpenFile;
  /** For gigabytes: its pipes hold as much as they may. `take` gets its standard output piece by piece instead. */
  readonly bulk?: Partial<PieceTaker>;
  /** Gets each line of standard error. */
  readonly onLine?: (line: string) => void;
  /** How output that is collected becomes text; UTF-8 by default. With latin1 each character is a byte. */
  readonly encoding?: "utf8" | "latin1";
  /** It may leave programs behind that still hold its output; that is no reason to wait for them. */
  readonly mayDetach?: boolean;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
  /**
   * Should this process be killed, it need not be killed with it: it changes nothing but a temporary file, or that what is written is on the disk, and
   * notes of that, and ends by itself. That saves the start of setpriv(1), some 4 ms.
   */
  readonly mayOutlive?: boolean;
  /** It cleans up, and so may run after an interrupt. */
  readonly cleansUp?: boolean;
};

/** What a program wrote to standard output, where nothing else took it. */
export type Result = { readonly stdout: string };

/** A program that runs until it is closed. */
export type Running = { readonly pid: number; close(): Promise<void> };

/** The only door to other programs. Files are read and written through node:fs by whoever owns them. */
export interface Host {
  /** Aborted by {@link Host.interrupt}, with an InterruptedError: for what waits without a program, such as for the network. */
  readonly interrupted: AbortSignal;
  /**
   * Runs a program to its end. It is killed when this process dies, in whatever way, unless it may outlive it.
   * @throws CommandError if it fails, InterruptedError, MissingProgramError
   */
  run(command: Command): Promise<Result>;
  /** Starts a program and waits until it has written something; it runs until its standard input is closed. Throws as `run` does. */
  runBeside(command: Pick<Command, "argv" | "cwd">): Promise<Running>;
  /**
   * Ends all programs that run, and lets no new one start: every `run` ends in an InterruptedError.
   * @returns false if that has to wait for the end of work that is {@link Host.shielded}
   */
  interrupt(): boolean;
  /**
   * Does work that must not be cut in two: an interrupt comes after it. `asked` is aborted, with an InterruptedError, when one is asked
   * for meanwhile: for work that can give up in good order.
   */
  shielded<T>(work: (asked: AbortSignal) => Promise<T>): Promise<T>;
}

export function isOpenFile(stream: Command["input"] | Command["output"]): stream is OpenFile {
  return typeof stream === "object" && "descriptor" in stream;
}

/** The name under which a program reaches a folder of {@link Command.folders}, by its index. */
export function openFolder(index: number): string {
  return `/dev/fd/${index + 3}`;
}
