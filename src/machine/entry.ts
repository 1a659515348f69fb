import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, statSync } from "node:fs";
import { NspawnError } from "../base/errors.js";
import { isRunning, readProcess, statusField } from "../host/processes.js";
import { resolveInRoot, statInRoot } from "../layer/root-path.js";
import { groupFiles, isFrozen } from "./control-groups.js";
import type { RunningMachine } from "./leader.js";
import { type RootUser, rootUserIn } from "./root-user.js";

/** The namespaces that a machine has of its own: systemd-nspawn(1). All but the network always, the user namespace with PrivateUsers only. */
export const namespaceKinds = ["user", "cgroup", "ipc", "uts", "net", "pid", "mnt"] as const;
type NamespaceKind = (typeof namespaceKinds)[number];

/**
 * The way into a machine that runs. Namespaces and folders are open files of this process: whatever becomes of the machine, they are its own,
 * and never those of another process that got the number of its first one.
 */
export type Entry = {
  readonly machine: string;
  readonly namespaces: Readonly<Partial<Record<NamespaceKind, number>>>;
  readonly root: number;
  /** Its pseudo terminals, a devpts of its own; undefined if it has none. */
  readonly terminals: number | undefined;
  /** The working folder of its first process, a path in the machine. */
  readonly folder: string;
  /** What its first process is limited to: files `cgroup.procs`, numbers of capabilities, and whether programs can bring privileges. */
  readonly groups: readonly string[];
  readonly capabilities: readonly number[];
  readonly noNewPrivileges: boolean;
  /** The host's number of its root user. */
  readonly owner: number;
  readonly user: RootUser;
};

/** @throws NspawnError if the machine ends meanwhile, or is frozen */
export async function withEntry<T>(machine: RunningMachine, work: (entry: Entry) => Promise<T>): Promise<T> {
  const opened: number[] = [];
  const open = (path: string, flags: number = constants.O_RDONLY): number => {
    const file = openSync(path, flags);
    opened.push(file);
    return file;
  };
  try {
    return await work(await openEntry(machine, open));
  } finally {
    for (const file of opened) closeSync(file);
  }
}

type Open = (path: string, flags?: number) => number;

async function openEntry({ name, leader, unit }: RunningMachine, open: Open): Promise<Entry> {
  const folder = `/proc/${leader.pid}`;
  try {
    const groups = groupFiles(leader.pid);
    if (groups.some(isFrozen)) {
      throw new NspawnError(`the machine ${name} is frozen`, { hint: unit === undefined ? undefined : `systemctl thaw ${unit}` });
    }
    const own = namespaceKinds.filter((kind) => readlinkSync(`${folder}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`));
    const status = readProcess(leader.pid, "status") ?? "";
    const root = open(`${folder}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
    const entry: Entry = {
      machine: name,
      namespaces: Object.fromEntries(own.map((kind) => [kind, open(`${folder}/ns/${kind}`)])),
      root,
      terminals: findTerminals(root, readProcess(leader.pid, "mountinfo") ?? "", open),
      folder: workingFolder(readlinkSync(`${folder}/cwd`)),
      groups,
      capabilities: capabilitiesIn(statusField(status, "CapBnd")[0] ?? ""),
      noNewPrivileges: statusField(status, "NoNewPrivs")[0] === "1",
      owner: hostNumberOfRoot(readProcess(leader.pid, "uid_map") ?? ""),
      user: await readRootUser(root),
    };
    // Its pid may have become that of another process at any moment before; from here on, the open files count.
    if (isRunning(leader)) return entry;
  } catch (error) {
    if (isRunning(leader)) throw error;
  }
  throw new NspawnError(`the machine ${name} has ended just now`);
}

/**
 * Whether a program is in a machine, by its path there.
 * @param root open folder of the machine
 */
export async function hasProgramInside(root: number, path: string): Promise<boolean> {
  const found = await resolveInRoot(openPath(root), path).catch(() => undefined);
  return found !== undefined && statInRoot(openPath(root), found)?.isFile() === true;
}

/** The path by which this process, and those that it starts, reach a file that it has open. */
export function openPath(file: number): string {
  return `/proc/${process.pid}/fd/${file}`;
}

/** Numbers of the bits in a set of capabilities as /proc/PID/status has it. */
export function capabilitiesIn(hex: string): readonly number[] {
  const set = BigInt(/^[0-9a-f]+$/.test(hex) ? `0x${hex}` : 0);
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (set >> BigInt(bit)) & 1n);
}

/** The number that 0 stands for in the text of a user_namespaces(7) uid_map: `         0  32309248      65536`. */
export function hostNumberOfRoot(uidMap: string): number {
  const ranges = uidMap.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return ranges.find(([inside]) => inside === 0)?.[1] ?? 0;
}

/** Devices of the file systems of the type devpts in the text of proc_pid_mountinfo(5): `1927 1925 0:111 / /dev/pts rw - devpts devpts rw`. */
export function terminalDevices(mountinfo: string): readonly string[] {
  return mountinfo.split("\n").flatMap((line) => (/ - devpts /.test(line) && (/^\d+ \d+ (\d+:\d+) \/ /.exec(line)?.[1] ?? [])) || []);
}

/**
 * The machine's own /dev/pts. The path may lead anywhere, through links that the machine has made, but to be taken it has to be a devpts
 * that is mounted in the machine and not here. There are no links in one, so that paths below it cannot lead astray.
 */
function findTerminals(root: number, mountinfo: string, open: Open): number | undefined {
  try {
    const folder = open(`${openPath(root)}/dev/pts`, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const { dev } = fstatSync(folder);
    const isItsOwn = terminalDevices(mountinfo).includes(showDevice(dev)) && dev !== statSync("/dev/pts", { throwIfNoEntry: false })?.dev;
    return isItsOwn && statSync(`${openPath(folder)}/ptmx`).isCharacterDevice() ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** `0:111`; see makedev(3). */
function showDevice(dev: number): string {
  const number = BigInt(dev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  return `${major}:${(number & 0xffn) | ((number >> 12n) & ~0xffn & 0xffffffffn)}`;
}

/** Its path may be one that is not there any more. */
function workingFolder(path: string): string {
  return path.startsWith("/") && !path.endsWith(" (deleted)") ? path : "/";
}

/** The passwd(5) of a machine: what is not a file, or not at its place, counts as empty; of a huge one only the start is read. */
async function readRootUser(root: number): Promise<RootUser> {
  try {
    const path = await resolveInRoot(openPath(root), "etc/passwd");
    // O_NONBLOCK: the other end of a named pipe would be waited for.
    const file = openSync(`${openPath(root)}/${path}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(1 << 16);
      const length = fstatSync(file).isFile() ? readSync(file, buffer) : 0;
      return rootUserIn(buffer.toString("utf8", 0, length));
    } finally {
      closeSync(file);
    }
  } catch {
    return rootUserIn("");
  }
}
