import { setMaxListeners } from "node:events";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { builtin } from "../base/builtin.js";
import { CommandError, hasCode, InterruptedError, NspawnError } from "../base/errors.js";
import { LastLines } from "../base/last-lines.js";
import { type Child, type End, startChild } from "./child.js";
import { type Command, type Host, isOpenFile, type Result, type Running } from "./host.js";
import { moveBytes, type Start } from "./libc.js";
import { readPieces } from "./pieces.js";
import { closeGiven, drop, ProgramFiles } from "./program-files.js";
import { programPath } from "./programs.js";

/** This machine. */
export class LocalHost implements Host {
  readonly #running = new Set<Child>();
  readonly #interrupt = neverFull(new AbortController());
  #shields = 0;
  /** Of the shielded work that is done now: aborted when an interrupt is asked for. */
  #asked = neverFull(new AbortController());

  get interrupted(): AbortSignal {
    return this.#interrupt.signal;
  }

  get #interrupted(): boolean {
    return this.interrupted.aborted;
  }

  async run(command: Command): Promise<Result> {
    const { child, stdin, stdout, stderr } = this.#start(command);
    const { take, ...more } = command.bulk ?? {};
    const [input, errors] = [writerOf(stdin), readerOf(stderr)];
    const output = take ? undefined : readerOf(stdout);
    const release = killOnAbort(child, command.signal);
    const last = new LastLines(20);
    const collected: string[] = [];
    void child.ended.then(() => {
      input?.destroy();
      if (command.mayDetach) setTimeout(closeOutput, detachGrace, [output, errors]).unref();
    });
    const onError = (line: string): void => {
      last.add(line);
      command.onLine?.(line);
    };
    const remember = (line: string): void => last.add(line);
    const taken = take && stdout !== undefined ? readPieces(stdout, { take, ...more }) : takeOutput(command, output, collected, remember);
    // One that waits for input would never see that nobody takes its output any more.
    taken.catch(() => input?.destroy());
    const [written, fed] = await Promise.allSettled([taken, feed(command, input, stdin), collectLines(errors, onError), child.ended]);
    // Where its input broke off, or its output could not be written, that is why the program failed.
    release();
    for (const result of [fed, written]) if (result.status === "rejected" && !this.#interrupted) throw result.reason;
    this.#check(command, await child.ended, last);
    return { stdout: collected.join("") };
  }

  async runBeside(command: Pick<Command, "argv" | "cwd">): Promise<Running> {
    const { child, ...ends } = this.#start({ ...command, input: "" });
    const last = new LastLines(20);
    const [stdin, stdout] = [writerOf(ends.stdin), readerOf(ends.stdout)];
    const errors = collectLines(readerOf(ends.stderr), (line) => last.add(line));
    stdin?.on("error", () => {});
    const ended = child.ended.then(async (end) => {
      stdin?.destroy();
      stdout?.destroy();
      await errors;
      return end;
    });
    const first = await Promise.race([new Promise<undefined>((ready) => stdout?.once("data", () => ready(undefined))), ended]);
    if (first) {
      this.#check(command, first, last);
      throw new CommandError({ argv: command.argv, code: 0, output: last.text() });
    }
    return {
      pid: child.pid,
      close: async () => {
        stdin?.end();
        await ended;
      },
    };
  }

  interrupt(): boolean {
    if (this.#shields > 0) {
      this.#asked.abort(new InterruptedError());
      return false;
    }
    this.#interrupt.abort(new InterruptedError());
    for (const child of this.#running) kill(child);
    return true;
  }

  async shielded<T>(work: (asked: AbortSignal) => Promise<T>): Promise<T> {
    this.#shields++;
    try {
      return await work(this.#asked.signal);
    } finally {
      this.#shields--;
      if (this.#shields === 0 && this.#asked.signal.aborted) this.interrupt();
    }
  }

  #start(command: Command): Started {
    let files: ProgramFiles | undefined;
    try {
      if (this.#interrupted && !command.cleansUp) throw new InterruptedError();
      const [program, ...args] = command.argv;
      // --pdeathsig: it dies with us, even by kill -9. In a session of its own, Ctrl-C reaches only us, and we end the whole group.
      const argv = [...(command.mayOutlive ? [] : [programPath("setpriv"), "--pdeathsig", "KILL"]), programPath(program), ...args];
      files = new ProgramFiles(command);
      const child = startSafely({ argv, env: command.env ?? baseEnvironment(), cwd: command.cwd, files: files.list });
      this.#running.add(child);
      void child.ended.then(() => this.#running.delete(child));
      closeGiven(command);
      return { child, ...files.passOn() };
    } catch (error) {
      files?.close();
      drop(command);
      throw error;
    }
  }

  #check(command: Pick<Command, "argv" | "shown" | "cleansUp">, { code, signal }: End, last: LastLines): void {
    if (this.#interrupted && !command.cleansUp) throw new InterruptedError();
    if (code === 0) return;
    throw new CommandError({
      argv: command.shown ?? command.argv,
      code: code ?? undefined,
      signal: signal ?? undefined,
      output: last.text(),
    });
  }
}

/** A program, and our ends of its pipes. */
type Started = { readonly child: Child } & ReturnType<ProgramFiles["passOn"]>;

function readerOf(file: number | undefined): Readable | undefined {
  return file === undefined ? undefined : new (builtin("node:net").Socket)({ fd: file, readable: true, writable: false });
}

function writerOf(file: number | undefined): Writable | undefined {
  return file === undefined ? undefined : new (builtin("node:net").Socket)({ fd: file, readable: false, writable: true });
}

/** As many may wait for it as there are downloads at once: to Node, more than ten look like a leak, of which it warns. */
function neverFull(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}

function startSafely(start: Start): Child {
  try {
    return startChild(start);
  } catch (error) {
    if (!hasCode(error, "E2BIG")) throw error;
    throw new NspawnError("the command is too long for Linux, which takes 128 KiB for each argument", {
      hint: "put it into a file, and COPY or run that",
      cause: error,
    });
  }
}

/** Milliseconds for the last output of a program that has ended, while others still hold its output. */
const detachGrace = 200;

function closeOutput(streams: readonly (Readable | undefined)[]): void {
  for (const stream of streams) stream?.destroy();
}

/** The environment that programs get: nothing of the user's but where to look for programs, so that no secret leaks into one. */
export function baseEnvironment(): Readonly<Record<string, string>> {
  return { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`, LANG: "C.UTF-8", HOME: process.env.HOME ?? "/root" };
}

function kill(child: Child): void {
  if (child.hasEnded) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** @returns what ends the wait for the signal */
function killOnAbort(child: Child, signal: AbortSignal | undefined): () => void {
  const end = (): void => kill(child);
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);
  return () => signal?.removeEventListener("abort", end);
}

async function takeOutput(
  { output, encoding = "utf8" }: Command,
  stdout: Readable | undefined,
  collected: string[],
  remember: (line: string) => void,
): Promise<void> {
  if (!stdout) return;
  if (typeof output === "function") {
    await collectLines(stdout, (line) => {
      remember(line);
      output(line);
    });
  } else if (output && !isOpenFile(output)) await pipeline(stdout, output);
  else for await (const chunk of stdout.setEncoding(encoding)) collected.push(chunk);
}

/**
 * Passes on what a program reads. One that ends before it has read everything (tar does, at the end mark) is no error here: its
 * exit code tells, and the rest is read and dropped, so that whatever writes it can finish, or not even read.
 */
async function feed({ input, dropsInput }: Command, stdin: Writable | undefined, file: number | undefined): Promise<void> {
  if (!stdin || file === undefined || isOpenFile(input)) return;
  stdin.on("error", () => {});
  if (typeof input === "function") {
    input(stdin, (pipe, most) => (stdin.destroyed || stdin.writableLength > 0 ? 0 : moveBytes(pipe, file, most)));
    return;
  }
  if (input === undefined || typeof input === "string") {
    stdin.end(input);
    return;
  }
  // Who waits for more of it would not see that nobody wants that.
  if (dropsInput) stdin.once("close", () => input.destroy());
  try {
    for await (const piece of input) if (!stdin.destroyed) await written(stdin, piece);
    stdin.end();
  } catch (error) {
    const isDropped = dropsInput && stdin.destroyed;
    stdin.destroy();
    if (!isDropped) throw error;
  }
}

/** When a piece was written, or nobody reads it any more. */
function written(stdin: Writable, piece: Buffer): Promise<void> {
  return new Promise((done) => stdin.write(piece, () => done()));
}

/** Output without line breaks is passed on in pieces of this many characters. */
const longestLine = 1 << 16;

async function collectLines(stream: Readable | undefined, take: (line: string) => void): Promise<void> {
  if (!stream) return;
  let rest = "";
  for await (const chunk of untilClosed(stream.setEncoding("utf8"))) {
    const lines = `${rest}${chunk}`.split(/\r?\n/);
    rest = lines.pop() ?? "";
    if (rest.length > longestLine) {
      lines.push(rest);
      rest = "";
    }
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}

/** What a stream gives until it ends, or is closed on our side. */
async function* untilClosed(stream: Readable): AsyncGenerator<string> {
  try {
    yield* stream;
  } catch (error) {
    if (!hasCode(error, "ERR_STREAM_PREMATURE_CLOSE")) throw error;
  }
}
