import type { Argv } from "./host.js";
import type { Program } from "./programs.js";

/**
 * A program in a mount namespace of its own, where nothing it mounts is seen from outside: when it ends, in whatever way, the
 * kernel removes those mounts. See unshare(1).
 */
export function inMountNamespace(argv: readonly [Program, ...string[]]): Argv {
  return ["unshare", "--mount", "--propagation", "private", ...argv];
}

/** The same, and in a process namespace too: when it is killed, all that it has started dies with it, daemons and containers included. */
export function inOwnNamespaces(argv: readonly [Program, ...string[]]): Argv {
  return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", ...argv];
}
