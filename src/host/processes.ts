import { readdirSync, readFileSync } from "node:fs";

/** A process of this host, by proc_pid_stat(5). */
export type Process = {
  readonly pid: number;
  /** Name of its program, cut off after 15 bytes. It may have been chosen to deceive. */
  readonly name: string;
  readonly parent: number;
  /** Its process group, and its session; 0 for those of processes in another process namespace. */
  readonly group: number;
  readonly session: number;
  /** When it started, in clock ticks since the host did. With the pid it names the process, since pids are used again. */
  readonly started: string;
};

/** All processes that this one can see, without rights and without starting a program: some 20 µs for each. */
export function listProcesses(): readonly Process[] {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (findProcess(Number(name)) ?? []) : []));
}

/** A process that runs, undefined if there is none with this pid, or only what has not been waited for yet. */
export function findProcess(pid: number): Process | undefined {
  const stat = readProcess(pid, "stat");
  return stat === undefined ? undefined : parseStat(stat);
}

/** Processes that the first thread of a process has started, and that run. None where the kernel does not list them (CONFIG_PROC_CHILDREN). */
export function childrenOf(pid: number): readonly Process[] {
  const pids = readProcess(pid, `task/${pid}/children`)?.split(" ") ?? [];
  return pids.flatMap((child) => (child.trim() === "" ? [] : (findProcess(Number(child)) ?? [])));
}

/** Whether a process still runs, and not another one that has its pid by now. */
export function isRunning({ pid, started }: Pick<Process, "pid" | "started">): boolean {
  return findProcess(pid)?.started === started;
}

/** The line of /proc/PID/stat: `76 (systemd-nspawn) S 1 76 76 0 …`. The name in parentheses may hold anything. */
export function parseStat(text: string): Process | undefined {
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")];
  const fields = text.slice(close + 2).split(" ");
  const [state = "", parent, group, session] = fields;
  const started = fields[19];
  if (open < 0 || close < open || started === undefined || "ZX".includes(state)) return undefined;
  return {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    started,
  };
}

/** Milliseconds that the first thread of a process has run, to the nanosecond; undefined where the kernel does not tell. */
export function processorTime(pid: number): number | undefined {
  // Nanoseconds on a processor, nanoseconds waiting for one, number of times: 4185373034 57302013 9302
  const nanoseconds = Number.parseInt(readProcess(pid, "schedstat") ?? "", 10);
  return Number.isNaN(nanoseconds) ? undefined : nanoseconds / 1e6;
}

/** A file of a process, as latin1: each character is a byte. Undefined if the process has ended, or is not ours to look into. */
export function readProcess(
  pid: number,
  file: "stat" | "status" | "cmdline" | "cgroup" | "mountinfo" | "uid_map" | "schedstat" | `task/${number}/children`,
): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return undefined;
  }
}

/** A field of /proc/PID/status, such as `NSpid`: its words. */
export function statusField(status: string, name: string): readonly string[] {
  const line = status.split("\n").find((text) => text.startsWith(`${name}:`));
  return (
    line
      ?.slice(name.length + 1)
      .trim()
      .split(/\s+/) ?? []
  );
}
