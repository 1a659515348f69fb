import { readFileSync } from "node:fs";

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
