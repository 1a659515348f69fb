import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readProcess } from "../host/processes.js";

/** Where a process is in one hierarchy of control groups; see cgroups(7). `controllers`: none for version 2, `["name=systemd"]`, `["cpu", "cpuacct"]`. */
export type Membership = { readonly controllers: readonly string[]; readonly path: string };

/** A hierarchy that is mounted; `root`: which of its groups is the mount's root folder. */
export type Hierarchy = { readonly controllers: readonly string[]; readonly folder: string; readonly root: string };

/**
 * The files `cgroup.procs` of all groups that a process is in: of version 2, and on older hosts of each hierarchy of version 1 as well. Who
 * writes its pid to them has the limits of that process, and may use its devices only.
 */
export function groupFiles(pid: number): readonly string[] {
  return filesOfGroups(readProcess(pid, "cgroup") ?? "", readProcess(process.pid, "mountinfo") ?? "");
}

/** The same by the texts of proc_pid_cgroup(5) of that process, and of our own proc_pid_mountinfo(5). */
export function filesOfGroups(memberships: string, mountinfo: string): readonly string[] {
  const hierarchies = parseHierarchies(mountinfo);
  return parseMemberships(memberships).flatMap(({ controllers, path }) => {
    const hierarchy = hierarchies.find((one) => isSame(one.controllers, controllers) && isBelow(path, one.root));
    return hierarchy ? [join(hierarchy.folder, path.slice(hierarchy.root.length), "cgroup.procs")] : [];
  });
}

/**
 * Whether all processes of a group are stopped, as by `systemctl freeze`: `frozen 1` in cgroup.events, see cgroups(7). Who joins it is, too.
 * @param file its `cgroup.procs`
 */
export function isFrozen(file: string): boolean {
  try {
    return /^frozen 1$/m.test(readFileSync(join(dirname(file), "cgroup.events"), "latin1"));
  } catch {
    // Groups of version 1 have no such file.
    return false;
  }
}

/** The unit in whose control group a process is, by the text of its /proc/PID/cgroup: what comes behind the slices of version 2. */
export function unitOf(text: string): string | undefined {
  const memberships = parseMemberships(text);
  const membership =
    memberships.find(({ controllers, path }) => controllers.length === 0 && path !== "/") ??
    memberships.find(({ controllers }) => controllers.includes("name=systemd"));
  // Groups below a unit are not systemd's, and may be called anything.
  const unit = membership?.path.split("/").find((part) => part !== "" && !part.endsWith(".slice"));
  // A unit whose name would be that of a file of the kernel has a _ before it: cg_escape() of systemd.
  return unit !== undefined && /\.(?:service|scope)$/.test(unit) ? unit.replace(/^_/, "") : undefined;
}

/** Lines of /proc/PID/cgroup: `0::/machine.slice/web.service/payload`, `2:cpu,cpuacct:/`. */
export function parseMemberships(text: string): readonly Membership[] {
  return text.split("\n").flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return names === undefined || path === undefined ? [] : [{ controllers: names.split(",").filter(Boolean), path }];
  });
}

/**
 * The hierarchies in the text of proc_pid_mountinfo(5); the last mount of a folder hides those before.
 * ```
 * 41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
 * 32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
 * ```
 */
export function parseHierarchies(text: string): readonly Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of text.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, folder] = before.split(" ").map(unescapePath);
    const [type, , options = ""] = after.split(" ");
    if (root === undefined || folder === undefined || (type !== "cgroup" && type !== "cgroup2")) continue;
    const controllers = type === "cgroup2" ? [] : options.split(",").filter((option) => !generalOptions.has(option));
    found.set(folder, { controllers, folder, root: root === "/" ? "" : root });
  }
  return [...found.values()];
}

/** Options of a mount of version 1 that are no controllers, and have no value. */
const generalOptions: ReadonlySet<string> = new Set(["rw", "ro", "xattr", "noprefix", "clone_children"]);

/** `\040` for a space, and likewise for tabs, line breaks and backslashes. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** A mount may have options beside its controllers, such as `release_agent=`. */
function isSame(mounted: readonly string[], joined: readonly string[]): boolean {
  return joined.length === 0 ? mounted.length === 0 : mounted.length > 0 && joined.every((name) => mounted.includes(name));
}

function isBelow(path: string, root: string): boolean {
  return root === "" || path === root || path.startsWith(`${root}/`);
}
