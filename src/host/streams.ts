import { fchmodSync, fstatSync, write } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { builtin } from "../base/builtin.js";
import { hasCode, messageOf, NspawnError } from "../base/errors.js";
import { makePipe, type Pipe } from "./libc.js";

/** The three streams for a program that is not to be trusted. */
export type Streams = {
  /** Our files that become its streams, in their order. */
  readonly stdio: readonly [number, number, number];
  /** Those of them that are its ends of pipes: to be closed when it has them. */
  readonly theirs: readonly number[];
  /**
   * When all has come through that the program wrote before it ended; what it has left behind may hold pipes, and is not waited for.
   * @throws NspawnError if it could not be written
   */
  drained(): Promise<void>;
};

/**
 * Gives a program our streams: pipes and sockets as they are, and pipes that we pass on ourselves for a terminal or a file, which it could
 * otherwise open anew, in other ways than ours. These are real pipes, since those that Node makes are sockets, which `>/dev/stderr` cannot open.
 */
export function openStreams(): Streams {
  const passed = streams.filter((stream) => !mayBeGiven(stream));
  // Both outputs in one file go through one pipe, where they keep their order.
  const errors = passed.includes(1) && passed.includes(2) && isSameFile(1, 2) ? 1 : 2;
  const piped = passed.filter((stream) => stream !== 2 || errors === 2);
  const pipes = new Map(piped.map((stream) => [stream, openPipe()]));
  const forwarded = piped.flatMap((stream) => {
    const pipe = pipes.get(stream);
    return pipe && stream !== 0 ? [forward(pipe.reader, stream)] : [];
  });
  const input = pipes.get(0);
  if (input) feed(input.writer);
  const stdio = [input?.reader ?? 0, pipes.get(1)?.writer ?? 1, pipes.get(errors)?.writer ?? 2] as const;
  return {
    stdio,
    theirs: [...new Set(stdio)].filter((file) => file > 2),
    drained: async () => {
      await Promise.all(forwarded.map(({ drained }) => drained()));
    },
  };
}

const streams = [0, 1, 2] as const;

/** A pipe, a socket, or /dev/null (device 1:3): nothing more of the host can be reached by it. */
function mayBeGiven(stream: number): boolean {
  try {
    const stats = fstatSync(stream);
    return stats.isFIFO() || stats.isSocket() || (stats.isCharacterDevice() && stats.rdev === 0x103);
  } catch {
    return false;
  }
}

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** To open /dev/stderr anew, the root of a user namespace, who is somebody else here, needs the rights. */
function openPipe(): Pipe {
  const pipe = makePipe();
  fchmodSync(pipe.reader, 0o666);
  return pipe;
}

/** Passes on our standard input. The end of whoever reads it is no error. */
function feed(file: number): void {
  const pipe = new Socket({ fd: file, readable: false, writable: true });
  pipe.on("error", () => process.stdin.unpipe(pipe).pause());
  process.stdin.pipe(pipe);
}

/**
 * After the program's end: milliseconds without output, and bytes, after which what still holds a pipe is left alone. A pipe holds no more than
 * 1 MiB: pipe(7), /proc/sys/fs/pipe-max-size.
 */
const grace = 200;
const mostBytesLeft = 1 << 21;

type Forwarding = Pick<Streams, "drained">;

/** Passes on what comes through a pipe. If that fails, the pipe is closed at once, so that its writer notices. */
function forward(file: number, stream: 1 | 2): Forwarding {
  const pipe = new Socket({ fd: file, readable: true, writable: false });
  const pass = writerTo(stream);
  let [chunks, isWriting, bytesLeft] = [0, false, Number.POSITIVE_INFINITY];
  const copy = async (): Promise<void> => {
    for await (const chunk of pipe as AsyncIterable<Buffer>) {
      chunks++;
      isWriting = true;
      await pass(chunk);
      isWriting = false;
      bytesLeft -= chunk.length;
      if (bytesLeft <= 0) return;
    }
  };
  const failed = copy().then(
    () => undefined,
    (error: unknown) => error,
  );
  // What is there to be read comes before an immediate, even if the time was up while a slow terminal was written to.
  const closeWhenIdle = (seen: number): void => {
    const closeIfIdle = (): void => {
      if (chunks === seen && !isWriting) pipe.destroy();
      else if (!pipe.destroyed) closeWhenIdle(chunks);
    };
    setTimeout(() => setImmediate(closeIfIdle), grace);
  };
  return {
    drained: async () => {
      bytesLeft = mostBytesLeft;
      closeWhenIdle(chunks);
      const error = await failed;
      // It was idle, and was closed.
      if (error === undefined || hasCode(error, "ERR_STREAM_PREMATURE_CLOSE")) return;
      throw new NspawnError(`standard ${stream === 1 ? "output" : "error"} cannot be written to: ${messageOf(error)}`, { cause: error });
    },
  };
}

/**
 * To a file Node itself writes only once, however much the file takes: the rest would be lost without a word. That a terminal has gone is
 * no error.
 */
function writerTo(stream: 1 | 2): (chunk: Buffer) => Promise<void> {
  if (builtin("node:tty").isatty(stream)) {
    const terminal = stream === 1 ? process.stdout : process.stderr;
    return (chunk) => new Promise((done) => void terminal.write(chunk, () => done()));
  }
  return async (chunk) => {
    for (let rest = chunk; rest.length > 0; ) rest = rest.subarray((await writeFile(stream, rest)).bytesWritten);
  };
}

const writeFile = promisify(write);
