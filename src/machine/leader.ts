import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { childrenOf, findProcess, listProcesses, type Process, readProcess, statusField } from "../host/processes.js";
import { unitOf } from "./control-groups.js";
import { nameByCommandLine } from "./nspawn-options.js";

/** A machine that runs, whoever started it. */
export type RunningMachine = {
  readonly name: string;
  /** The systemd-nspawn that runs it. */
  readonly supervisor: Process;
  /** Its first process: 1 in its own numbers. */
  readonly leader: Process;
  /** The unit that it runs in, `web.service` or `machine-web.scope`; undefined outside of systemd's slices. */
  readonly unit: string | undefined;
};

/**
 * The machines that run on this host, by their processes: a systemd-nspawn of root's, and its child that is process 1 of a process namespace
 * right below ours. So it finds machines of any unit and those started by hand, registered or not. It starts no program and needs no
 * rights; what a machine's own processes do, or call themselves, is not taken into account.
 * @param registry folder of systemd-machined, another one only in tests
 */
export function runningMachines(registry = machinedFolder): readonly RunningMachine[] {
  const processes = listProcesses();
  const supervisors = processes.filter(({ pid, name }) => name === "systemd-nspawn" && isSupervisor(pid));
  if (supervisors.length === 0) return [];
  const registered = registeredNames(registry);
  return supervisors.flatMap((supervisor) => {
    const leader = processes.find(({ pid, parent }) => parent === supervisor.pid && isLeader(pid));
    return (leader && machineOf(supervisor, leader, () => registered.get(leader.pid))) ?? [];
  });
}

/**
 * The machine that a process runs, without a look at all the others; undefined if it runs none, or none yet.
 * @param pid as systemd knows it, the `MainPID` of a machine's unit
 * @param registry as for {@link runningMachines}
 */
export function machineRunBy(pid: number, registry = machinedFolder): RunningMachine | undefined {
  const supervisor = findProcess(pid);
  if (supervisor?.name !== "systemd-nspawn" || !isSupervisor(pid)) return undefined;
  const leader = childrenOf(pid).find((child) => isLeader(child.pid));
  return (
    leader && machineOf(supervisor, leader, (unit) => nameInUnit(unit, leader.pid, registry) ?? registeredNames(registry).get(leader.pid))
  );
}

/** @param registeredName the name that systemd-machined knows it by, if it does */
function machineOf(
  supervisor: Process,
  leader: Process,
  registeredName: (unit: string | undefined) => string | undefined,
): RunningMachine | undefined {
  const group = readProcess(supervisor.pid, "cgroup");
  const unit = group === undefined ? undefined : unitOf(group);
  const name = registeredName(unit) ?? nameByCommandLine(supervisor.pid);
  return name === undefined ? undefined : { name, supervisor, leader, unit };
}

/** The first process of the machine that runs in a unit, undefined if there is none. */
export function findLeader(machines: readonly RunningMachine[], unit: string): Process | undefined {
  return machines.find((machine) => machine.unit === unit)?.leader;
}

const machinedFolder = "/run/systemd/machines";

/** Of root's, and in our own process namespace: a user, or a machine, may have programs of any name. */
function isSupervisor(pid: number): boolean {
  const status = readProcess(pid, "status") ?? "";
  return statusField(status, "NSpid").length === 1 && statusField(status, "Uid").every((uid) => uid === "0");
}

/** `NSpid: 78 1`; see proc_pid_status(5). systemd-nspawn's other child, which makes the machine ready, is in our namespace. */
function isLeader(pid: number): boolean {
  const numbers = statusField(readProcess(pid, "status") ?? "", "NSpid");
  return numbers.length === 2 && numbers[1] === "1";
}

/**
 * Names of the machines that systemd-machined knows, by their leaders. It keeps a file for each, `LEADER=78` among its lines, and a link
 * `unit:…` to it.
 */
function registeredNames(folder: string): ReadonlyMap<number, string> {
  const files = entriesOf(folder).filter((name) => !name.startsWith("unit:"));
  return new Map(files.flatMap((name) => leaderIn(join(folder, name)).map((pid) => [pid, name] as const)));
}

/** The name of the machine with this leader by the link of its unit, without a look at all the others. */
function nameInUnit(unit: string | undefined, leader: number, folder: string): string | undefined {
  try {
    const name = basename(readlinkSync(join(folder, `unit:${unit}`)));
    return leaderIn(join(folder, name)).includes(leader) ? name : undefined;
  } catch {
    return undefined;
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function leaderIn(file: string): readonly number[] {
  try {
    const pid = /^LEADER=(\d+)$/m.exec(readFileSync(file, "utf8"))?.[1];
    return pid === undefined ? [] : [Number(pid)];
  } catch {
    return [];
  }
}
