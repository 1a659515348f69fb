import { closeSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { messageOf, NspawnError } from "../base/errors.js";

/** An end of a pipe, or a file: its number in this process. */
type Descriptor = number;

/** A pipe: whoever has passed an end on closes it here. */
export type Pipe = { readonly reader: Descriptor; readonly writer: Descriptor };

/** A program to start, and all that it begins with. */
export type Start = {
  /** Its path first. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
  /** What it has open, in the order of its own descriptors. */
  readonly files: readonly Descriptor[];
};

/** How a process has ended. */
export type Ended = { readonly code: number | null; readonly signal: number | null };

type Functions = ReturnType<typeof bind>;

let bound: Functions | undefined;

/** Functions of the C library that Node has no other way to, bound at the first call, which takes some 15 ms. */
export function libc(): Functions {
  if (bound) return bound;
  bound = bind();
  closeInherited(bound);
  return bound;
}

/**
 * Has no program inherit what this process has inherited, such as a lock of whoever has started it: Node sees to that for the lowest numbers only. A program
 * that goes on in the background would keep it.
 */
function closeInherited({ close_range }: Functions): void {
  // An older kernel or library does not know it: then it is as with Node alone.
  close_range?.(3, -1, closeRangeOnExec);
}

/** A pipe that no program inherits unless it is given to it. What Node gives to programs are sockets, which cannot be opened by a name (ENXIO, open(2)). */
export function makePipe(): Pipe {
  const ends: number[] = [0, 0];
  check("pipe2", libc().pipe2(ends, closeOnExec));
  const [reader = -1, writer = -1] = ends;
  return { reader, writer };
}

/**
 * Has a pipe hold 1 MiB, as anyone may have it (pipe(7), /proc/sys/fs/pipe-max-size), and not 64 KiB: two programs that pass on gigabytes wait for each
 * other less often, and a pull takes a sixth less time. Where this user has many of them already, it stays as it is.
 */
export function widen(end: Descriptor): void {
  libc().fcntl(end, setPipeSize, "int", 1 << 20);
}

/**
 * Moves bytes from one pipe to another without a copy of them, by splice(2).
 * @returns how many; 0 if it cannot be done at once: then reading and writing tells why
 */
export function moveBytes(from: Descriptor, to: Descriptor, most: number): number {
  return Math.max(0, libc().splice(from, null, to, null, most, moving | withoutWaiting));
}

/**
 * Takes an exclusive lock on an open file, as flock(2) does.
 * @returns whether nobody else had it
 */
export function tryLock(file: Descriptor): boolean {
  if (libc().flock(file, exclusive | nonBlocking) === 0) return true;
  const number = libc().errno();
  if (number === constants.errno.EAGAIN) return false;
  throw systemError("flock", number);
}

/**
 * Starts a program in a session of its own, with signals as they are by default, by posix_spawn(3): that takes this process a millisecond. Node's own way is
 * fork(2), which takes 8 to 12 of them, the more memory it has of its own the longer, and some more for each page that is written to first afterwards.
 * @returns its process id; whoever starts it calls {@link reap} until it has ended
 * @throws an error of the system, with its `code`, such as E2BIG
 */
export function startProgram({ argv, env, cwd, files }: Start): number {
  const c = libc();
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const [path = ""] = argv;
  if ([cwd ?? "", ...argv, ...variables].some((text) => text.includes("\0"))) {
    throw Object.assign(new Error("a program cannot be given the character U+0000"), { code: "EINVAL" });
  }
  const [actions, attributes] = [Buffer.alloc(structSize), Buffer.alloc(structSize)];
  const [none, all] = [Buffer.alloc(structSize), Buffer.alloc(structSize)];
  c.sigemptyset(none);
  c.sigfillset(all);
  succeed("posix_spawn_file_actions_init", c.posix_spawn_file_actions_init(actions));
  succeed("posix_spawnattr_init", c.posix_spawnattr_init(attributes));
  const copies: number[] = [];
  try {
    succeed("posix_spawnattr_setflags", c.posix_spawnattr_setflags(attributes, ownSession | withSignals | withMask));
    // Node ignores SIGPIPE.
    succeed("posix_spawnattr_setsigdefault", c.posix_spawnattr_setsigdefault(attributes, all));
    succeed("posix_spawnattr_setsigmask", c.posix_spawnattr_setsigmask(attributes, none));
    if (cwd !== undefined) succeed("posix_spawn_file_actions_addchdir_np", c.posix_spawn_file_actions_addchdir_np(actions, cwd));
    for (const [target, file] of files.entries()) {
      // One that has the number of another's target would be overwritten before it is passed on.
      const source = file < files.length ? check("fcntl", c.fcntl(file, duplicate, "int", files.length)) : file;
      if (source !== file) copies.push(source);
      succeed("posix_spawn_file_actions_adddup2", c.posix_spawn_file_actions_adddup2(actions, source, target));
    }
    const pid: number[] = [0];
    succeed("posix_spawn", c.posix_spawn(pid, path, actions, attributes, [...argv, null], [...variables, null]), path);
    return pid[0] ?? 0;
  } finally {
    for (const copy of copies) closeSync(copy);
    c.posix_spawn_file_actions_destroy(actions);
    c.posix_spawnattr_destroy(attributes);
  }
}

/**
 * How a process that {@link startProgram} has started has ended: told once; undefined while it runs.
 * @throws an error of the system with the code ECHILD, where somebody else has asked before, or it is no child of this process
 */
export function reap(pid: number): Ended | undefined {
  const status: number[] = [0];
  if (check("waitpid", libc().waitpid(pid, status, noHang)) === 0) return undefined;
  const [word = 0] = status;
  // wait(2): the signal in the lowest seven bits, the exit code in the next eight.
  const signal = word & 0x7f;
  return signal === 0 ? { code: (word >> 8) & 0xff, signal: null } : { code: null, signal };
}

/** Throws what a function has failed with that returns an error's number itself. */
function succeed(name: string, failure: number, path?: string): void {
  if (failure !== 0) throw systemError(name, failure, path);
}

/** Throws what a function has failed with that leaves an error's number in errno. */
export function check(name: string, result: number, path?: Buffer): number {
  if (result >= 0) return result;
  throw systemError(name, libc().errno(), path?.toString());
}

/** An error as Node makes them. @param number errno(3) */
export function systemError(name: string, number: number, path?: string): Error {
  // Node's own names of errors lack some, such as ECHILD.
  const code = Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
  return Object.assign(new Error(`${code}: ${name}${path === undefined ? "" : ` '${path}'`}`), {
    code,
    errno: -number,
    syscall: name,
    path,
  });
}

/** Bytes that are enough for any of these: posix_spawnattr_t, the largest, has 336 with glibc and with musl. */
const structSize = 1024;

// The same on all architectures of Linux that Node runs on.
const closeOnExec = 0o2000000;
const setPipeSize = 1031;
const duplicate = 1030;
const exclusive = 2;
const nonBlocking = 4;
const noHang = 1;
const moving = 1;
const withoutWaiting = 2;
const ownSession = 0x80;
const withSignals = 0x04;
const withMask = 0x08;
const closeRangeOnExec = 4;

type Buffers = (...args: readonly (Buffer | string | number)[]) => number;

function loadKoffi(): typeof import("koffi") {
  try {
    return createRequire(import.meta.url)("koffi");
  } catch (error) {
    throw new NspawnError(`koffi, by which programs are started, cannot be loaded: ${messageOf(error)}`, {
      hint: "its binary for this processor is an optional package: install nspawn without --omit=optional",
      cause: error,
    });
  }
}

function bind() {
  const koffi = loadKoffi();
  // Those of Node's own C library.
  const library = koffi.load(null);
  const named = <F>(definition: string): F => library.func(definition) as F;
  const ifThere = <F>(definition: string): F | undefined => {
    try {
      return named<F>(definition);
    } catch {
      return undefined;
    }
  };
  return {
    errno: (): number => koffi.errno(),
    pipe2: named<(ends: number[], flags: number) => number>("int pipe2(_Out_ int *ends, int flags)"),
    fcntl: named<(file: number, command: number, type: "int", value: number) => number>("int fcntl(int file, int command, ...)"),
    flock: named<(file: number, operation: number) => number>("int flock(int file, int operation)"),
    splice: named<(from: number, at: null, to: number, atOther: null, bytes: number, flags: number) => number>(
      "long splice(int from, void *at, int to, void *atOther, size_t bytes, unsigned int flags)",
    ),
    close_range: ifThere<(first: number, last: number, flags: number) => number>("int close_range(int first, int last, int flags)"),
    llistxattr: named<(path: Buffer, names: Buffer, bytes: number) => number>(
      "long llistxattr(const void *path, void *names, size_t bytes)",
    ),
    lgetxattr: named<(path: Buffer, name: Buffer, value: Buffer, bytes: number) => number>(
      "long lgetxattr(const void *path, const void *name, void *value, size_t bytes)",
    ),
    lsetxattr: named<(path: Buffer, name: Buffer, value: Buffer, bytes: number, flags: number) => number>(
      "int lsetxattr(const void *path, const void *name, const void *value, size_t bytes, int flags)",
    ),
    lremovexattr: named<(path: Buffer, name: Buffer) => number>("int lremovexattr(const void *path, const void *name)"),
    utimensat: named<(folder: number, path: Buffer, times: Buffer, flags: number) => number>(
      "int utimensat(int folder, const void *path, const void *times, int flags)",
    ),
    longSize: koffi.sizeof("long"),
    waitpid: named<(pid: number, status: number[], options: number) => number>("int waitpid(int pid, _Out_ int *status, int options)"),
    sigemptyset: named<Buffers>("int sigemptyset(void *set)"),
    sigfillset: named<Buffers>("int sigfillset(void *set)"),
    posix_spawn_file_actions_init: named<Buffers>("int posix_spawn_file_actions_init(void *actions)"),
    posix_spawn_file_actions_adddup2: named<Buffers>("int posix_spawn_file_actions_adddup2(void *actions, int file, int target)"),
    posix_spawn_file_actions_addchdir_np: named<Buffers>("int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)"),
    posix_spawn_file_actions_destroy: named<Buffers>("int posix_spawn_file_actions_destroy(void *actions)"),
    posix_spawnattr_init: named<Buffers>("int posix_spawnattr_init(void *attributes)"),
    posix_spawnattr_setflags: named<Buffers>("int posix_spawnattr_setflags(void *attributes, short flags)"),
    posix_spawnattr_setsigdefault: named<Buffers>("int posix_spawnattr_setsigdefault(void *attributes, void *set)"),
    posix_spawnattr_setsigmask: named<Buffers>("int posix_spawnattr_setsigmask(void *attributes, void *set)"),
    posix_spawnattr_destroy: named<Buffers>("int posix_spawnattr_destroy(void *attributes)"),
    posix_spawn: named<
      (
        pid: number[],
        path: string,
        actions: Buffer,
        attributes: Buffer,
        argv: readonly (string | null)[],
        env: readonly (string | null)[],
      ) => number
    >("int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **env)"),
  };
}
