import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CommandError, hasCode, InterruptedError, NspawnError } from "../base/errors.js";
import { LastLines } from "../base/last-lines.js";
import type { Command, Host, Result, Running } from "./host.js";
import type { NamedPipe } from "./named-pipes.js";
import { readPieces } from "./pieces.js";
import { programPath } from "./programs.js";
import { widening } from "./wide-pipes.js";

type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** This machine. */
export class LocalHost implements Host {
  readonly #running = new Set<ChildProcess>();
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
    const pipes = await openPipes(command);
    const child = this.#startOrDrop(command, pipes);
    const take = command.bulk?.take;
    const stdin = pipes.stdin ? writerOf(pipes.stdin) : child.stdin;
    const stdout = pipes.stdout && !take ? readerOf(pipes.stdout) : child.stdout;
    const stderr = pipes.stderr ? readerOf(pipes.stderr) : child.stderr;
    const release = killOnAbort(child, command.signal);
    const last = new LastLines(20);
    const collected: string[] = [];
    const ended = this.#ended(child);
    if (command.mayDetach) child.once("exit", () => setTimeout(closeOutput, detachGrace, [stdout, stderr]).unref());
    const onError = (line: string): void => {
      last.add(line);
      command.onLine?.(line);
    };
    const taken =
      pipes.stdout && take ? readPieces(pipes.stdout.reader, take) : takeOutput(command, stdout, collected, (line) => last.add(line));
    // One that waits for input would never see that nobody takes its output any more.
    taken.catch(() => stdin?.destroy());
    const [written, fed] = await Promise.allSettled([taken, feed(command, stdin), collectLines(stderr, onError), ended]);
    // Where its input broke off, or its output could not be written, that is why the program failed.
    release();
    for (const result of [fed, written]) if (result.status === "rejected" && !this.#interrupted) throw result.reason;
    this.#check(command, await ended, last);
    return { stdout: collected.join("") };
  }

  async runBeside(command: Pick<Command, "argv" | "cwd">): Promise<Running> {
    const child = this.#start(command, "pipe");
    const last = new LastLines(20);
    const { pid, stdin, stdout } = child;
    void collectLines(child.stderr, (line) => last.add(line));
    stdin?.on("error", () => {});
    const ended = this.#ended(child);
    const first = await Promise.race([new Promise<undefined>((ready) => stdout?.once("data", () => ready(undefined))), ended]);
    if (first) this.#check(command, first, last);
    if (pid === undefined || first) throw new CommandError({ argv: command.argv, code: 0, output: last.text() });
    return {
      pid,
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

  /** Where the program cannot even be started, whatever writes its input has to be able to finish all the same. */
  #startOrDrop(command: Command, pipes: Pipes): ChildProcess {
    try {
      // bash(1) takes a socket, which is what Node would give it, for a login from elsewhere, and reads ~/.bashrc.
      return this.#start(command, command.input === undefined ? "ignore" : "pipe", pipes);
    } catch (error) {
      for (const file of oursOf(pipes)) closeSync(file);
      if (typeof command.input === "object") command.input.resume();
      throw error;
    }
  }

  #start(
    command: Pick<Command, "argv" | "env" | "cwd" | "mayOutlive" | "cleansUp" | "folders" | "bulk">,
    input: "ignore" | "pipe",
    pipes: Pipes = {},
  ): ChildProcess {
    let folders: readonly number[] = [];
    try {
      if (this.#interrupted && !command.cleansUp) throw new InterruptedError();
      const [program, ...args] = command.argv;
      folders = openAll(command.folders ?? []);
      // detached: in a session of its own, so that Ctrl-C reaches only us, and we end the whole group.
      // --pdeathsig: it dies with us, even by kill -9.
      const [first = "", ...rest] = [
        ...(command.mayOutlive ? [] : [programPath("setpriv"), "--pdeathsig", "KILL"]),
        ...(command.bulk ? widening() : []),
        programPath(program),
      ];
      const child = spawnSafely(first, [...rest, ...args], {
        env: command.env ? { ...command.env } : baseEnvironment(),
        cwd: command.cwd,
        stdio: [pipes.stdin?.reader ?? input, pipes.stdout?.writer ?? "pipe", pipes.stderr?.writer ?? "pipe", ...folders],
        detached: true,
      });
      this.#running.add(child);
      return child;
    } finally {
      for (const file of [...folders, ...theirsOf(pipes)]) closeSync(file);
    }
  }

  #ended(child: ChildProcess): Promise<Ended> {
    return new Promise((done, fail) => {
      child.once("error", fail);
      child.once("close", (code, signal) => {
        this.#running.delete(child);
        done({ code, signal });
      });
    });
  }

  #check(command: Pick<Command, "argv" | "shown" | "cleansUp">, { code, signal }: Ended, last: LastLines): void {
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

/** Real pipes for what a program reads and writes. */
type Pipes = {
  readonly stdin?: NamedPipe | undefined;
  readonly stdout?: NamedPipe | undefined;
  readonly stderr?: NamedPipe | undefined;
};

async function openPipes({ input, pipes, bulk }: Pick<Command, "input" | "pipes" | "bulk">): Promise<Pipes> {
  const opened: { -readonly [Stream in keyof Pipes]: Pipes[Stream] } = {};
  try {
    if (input !== undefined) opened.stdin = await bulk?.pipes.open();
    opened.stdout = await (bulk?.take ? bulk.pipes : pipes)?.open();
    opened.stderr = await pipes?.open();
    return opened;
  } catch (error) {
    for (const file of [...oursOf(opened), ...theirsOf(opened)]) closeSync(file);
    throw error;
  }
}

function oursOf({ stdin, stdout, stderr }: Pipes): readonly number[] {
  return [stdin?.writer, stdout?.reader, stderr?.reader].filter((file) => file !== undefined);
}

function theirsOf({ stdin, stdout, stderr }: Pipes): readonly number[] {
  return [stdin?.reader, stdout?.writer, stderr?.writer].filter((file) => file !== undefined);
}

function readerOf({ reader }: NamedPipe): Readable {
  return new Socket({ fd: reader, readable: true, writable: false });
}

function writerOf({ writer }: NamedPipe): Writable {
  return new Socket({ fd: writer, readable: false, writable: true });
}

/** As many may wait for it as there are downloads at once: to Node, more than ten look like a leak, of which it warns. */
function neverFull(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}

function openAll(folders: readonly (string | Buffer)[]): readonly number[] {
  const opened: number[] = [];
  try {
    for (const folder of folders) opened.push(openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY));
    return opened;
  } catch (error) {
    for (const folder of opened) closeSync(folder);
    throw error;
  }
}

function spawnSafely(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(program, args, options);
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

function closeOutput(streams: readonly (Readable | null | undefined)[]): void {
  for (const stream of streams) stream?.destroy();
}

/** The environment that programs get: nothing of the user's but where to look for programs, so that no secret leaks into one. */
export function baseEnvironment(): Readonly<Record<string, string>> {
  return { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`, LANG: "C.UTF-8", HOME: process.env.HOME ?? "/root" };
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** @returns what ends the wait for the signal */
function killOnAbort(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  const end = (): void => kill(child);
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);
  return () => signal?.removeEventListener("abort", end);
}

async function takeOutput(
  { output, encoding = "utf8" }: Command,
  stdout: Readable | null | undefined,
  collected: string[],
  remember: (line: string) => void,
): Promise<void> {
  if (!stdout) return;
  if (typeof output === "function") {
    await collectLines(stdout, (line) => {
      remember(line);
      output(line);
    });
  } else if (output) await pipeline(stdout, output);
  else for await (const chunk of stdout.setEncoding(encoding)) collected.push(chunk);
}

/**
 * Passes on what a program reads. One that ends before it has read everything (tar does, at the end mark) is no error here: its
 * exit code tells, and the rest is read and dropped, so that whatever writes it can finish, or not even read.
 */
async function feed({ input, dropsInput }: Command, stdin: Writable | null): Promise<void> {
  if (!stdin) return;
  stdin.on("error", () => {});
  if (typeof input === "function") {
    input(stdin);
    return;
  }
  if (input === undefined || typeof input === "string") {
    stdin.end(input);
    return;
  }
  await new Promise<void>((done, fail) => {
    input.once("end", done);
    input.once("error", fail);
    input.once("close", () => {
      if (!input.readableEnded) stdin.destroy();
      done();
    });
    const pass = (chunk: Buffer | string): void => {
      stdin.write(chunk);
      if (stdin.writableLength >= mostWaiting) input.pause();
    };
    const goOn = (): unknown => input.resume();
    stdin.on("drain", goOn);
    stdin.once("close", () => {
      if (dropsInput) input.destroy();
      else input.off("data", pass).resume();
    });
    input.on("data", pass).once("end", () => stdin.end());
  });
}

/** Bytes that may wait for a program: what waits is written at once, where a stream of Node's own would write chunk by chunk. */
const mostWaiting = 1 << 20;

/** Output without line breaks is passed on in pieces of this many characters. */
const longestLine = 1 << 16;

async function collectLines(stream: Readable | null | undefined, take: (line: string) => void): Promise<void> {
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
