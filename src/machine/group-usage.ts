import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readProcess, statusField } from "../host/processes.js";
import { parseHierarchies } from "./control-groups.js";

/** What the processes of a control group take: threads, and bytes of memory that are resident, those that several share for each of them. */
type GroupUsage = { readonly tasks: number; readonly memory: number };

/** Counts what the processes of a control group take, `/machine.slice/web.service`; undefined if there is no such group. */
export type CountGroup = (controlGroup: string) => GroupUsage | undefined;

/**
 * For hosts where systemd does not count, since the kernel has no controller for it (as in a container). The groups below a group belong
 * to it, and whatever ends meanwhile counts as not there.
 */
export function groupCounter(): CountGroup {
  const root = parseHierarchies(readProcess(process.pid, "mountinfo") ?? "").find(({ controllers }) => controllers.length === 0);
  return (controlGroup) => (root ? countIn(join(root.folder, controlGroup)) : undefined);
}

function countIn(folder: string): GroupUsage | undefined {
  const own = processesIn(folder);
  if (!own) return undefined;
  const below = foldersIn(folder).flatMap((name) => countIn(join(folder, name)) ?? []);
  return [...own.map(usageOf), ...below].reduce((sum, one) => ({ tasks: sum.tasks + one.tasks, memory: sum.memory + one.memory }), {
    tasks: 0,
    memory: 0,
  });
}

/** By proc_pid_status(5), such as `VmRSS:      1320 kB` and `Threads:    2`. */
function usageOf(pid: number): GroupUsage {
  const status = readProcess(pid, "status") ?? "";
  const [kilobytes = "0"] = statusField(status, "VmRSS");
  const [threads = "0"] = statusField(status, "Threads");
  return { tasks: Number(threads), memory: Number(kilobytes) * 1024 };
}

function processesIn(folder: string): readonly number[] | undefined {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number);
  } catch {
    return undefined;
  }
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
