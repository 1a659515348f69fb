import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { sha256 } from "./sha256.js";

/**
 * A process by its pid and the time that it started (in ticks since boot), since pids are used again. As a name: `1234-56789`. One that has
 * ended has none, though its pid may stay: nobody collects it where PID 1 is no init, as in containers.
 */
export function processName(pid: number = process.pid): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything; state is the first after it, starttime the 20th (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `${pid}-${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether the process that made a name by {@link processName} still runs. */
export function isAlive(name: string): boolean {
  return processName(Number.parseInt(name, 10)) === name;
}

/**
 * Where pids mean the same as here: this host, and in it this process namespace. A name of 16 hexadecimal digits, for files in folders that other
 * hosts and containers may share, whose processes cannot be seen.
 */
export function processSpace(): string {
  const parts = [textOf(() => readFileSync("/etc/machine-id", "latin1")), textOf(() => readlinkSync("/proc/self/ns/pid"))];
  return sha256(parts.join("\n")).slice(0, 16);
}

function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return "";
  }
}

/** What a process is called: the name of its program or of the script that Node runs in it. Arguments, which may be secret, are left out. */
export function processTitle(pid: number): string | undefined {
  try {
    const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // Behind options of Node's own.
    const script = basename(program) === "node" ? args.find((word) => !word.startsWith("-")) : undefined;
    return basename(script || program).replace(/\.c?js$/, "");
  } catch {
    return undefined;
  }
}
