import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** A process by its pid and the time that it started (in ticks since boot), since pids are used again. As a name: `1234-56789`. */
export function processName(pid: number = process.pid): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything; starttime is the 20th after it (proc(5)).
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid}-${started}`;
  } catch {
    return undefined;
  }
}

/** Whether the process that made a name by {@link processName} still runs. */
export function isAlive(name: string): boolean {
  return processName(Number.parseInt(name, 10)) === name;
}

/** What a process is called: the name of its program or of the script that Node runs in it. Arguments, which may be secret, are left out. */
export function processTitle(pid: number): string | undefined {
  try {
    const [program = "", script] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return basename(script && basename(program) === "node" ? script : program, ".js");
  } catch {
    return undefined;
  }
}
