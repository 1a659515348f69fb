import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { longTest, sample } from "../support/tries.js";
import { bootHost, type DisposableHost } from "./support/host.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/host", import.meta.url));

const CACHE = process.env.NSPAWN_HOST_CACHE ?? "/var/cache/nspawn-host";

/** More than enough to make the root of a release first. */
const TIMEOUT = 180_000;

/** Names that no other run of these tests uses at the same time. */
const named = (name: string): string => `${name}-${process.pid}`;

async function withHosts(names: readonly string[], use: (...hosts: DisposableHost[]) => Promise<void>): Promise<void> {
  const booted = await Promise.allSettled(names.map((name) => bootHost({ name })));
  const hosts = booted.filter((one) => one.status === "fulfilled").map((one) => one.value);
  try {
    for (const one of booted) if (one.status === "rejected") throw one.reason;
    await use(...hosts);
  } finally {
    await Promise.all(hosts.map((host) => host.stop()));
  }
}

test("a host boots until systemd says that it is running", { timeout: TIMEOUT }, async () => {
  const name = named("boots");
  await withHosts([name], async (host) => {
    expect(await host.must(["systemctl", "is-system-running"])).toBe("running\n");
    expect(await host.must(["systemctl", "list-units", "--failed", "--no-legend"])).toBe("");
    expect(readFileSync(`/proc/${host.leader}/comm`, "utf8")).toBe("systemd\n");
    expect(await host.must(["node", "--version"])).toBe(`${process.version}\n`);
    expect(execFileSync(SCRIPT, ["list"], { encoding: "utf8" })).toContain(`${name} bookworm ${host.leader}\n`);
  });
});

longTest("two hosts run side by side and know nothing of each other", { timeout: TIMEOUT }, async () => {
  const names = [named("left"), named("right")] as const;
  await withHosts(names, async (left, right) => {
    for (const host of [left, right]) {
      expect(await host.must(["hostname"])).toBe(`${host.name}\n`);
      await host.must(["systemd-run", "--quiet", `--unit=only-${host.name}`, "sleep", "infinity"]);
      expect(await host.must(["systemctl", "is-active", `only-${host.name}`])).toBe("active\n");
    }
    expect((await left.run(["systemctl", "is-active", `only-${right.name}`])).stdout).toBe("inactive\n");
    await left.shell("systemd-nspawn --quiet --volatile=yes --directory=/ --machine=inner --as-pid2 sleep 60 >/dev/null 2>&1 &");
    await expect.poll(() => left.must(["machinectl", "list", "--no-legend"])).toContain("inner");
    expect(await right.must(["machinectl", "list", "--no-legend"])).toBe("");
  });
});

test("a command in a host has its stdin, output, code, environment and folder passed on", { timeout: TIMEOUT }, async () => {
  await withHosts([named("enter")], async (host) => {
    const script = "cat; echo warned >&2; exit 7";
    expect(await host.run(["sh", "-c", script], { input: "given" })).toEqual({ code: 7, stdout: "given", stderr: "warned\n" });
    expect((await host.run(["sh", "-c", "kill -KILL $$"])).code).toBe(137);
    expect((await host.run(["no-such-command"])).code).toBe(127);
    expect(await host.must(["printf", "%s|", "a b", "", "$HOME", "ü"])).toBe("a b||$HOME|ü|");
    expect(await host.must(["pwd"], { cwd: "/var/lib" })).toBe("/var/lib\n");
    const variables = (await host.must(["env"], { env: { GIVEN: "a b=c" } })).split("\n");
    expect(variables).toContain("GIVEN=a b=c");
    expect(variables.map((line) => line.split("=")[0]).sort()).toEqual(["", "GIVEN", "HOME", "LANG", "PATH", "TERM"]);
    await expect(host.must(["sh", "-c", "echo why >&2; exit 3"])).rejects.toThrow(/code 3\nwhy/);
    await expect(host.run(["sh", "-c", "sleep 4711 & wait"], { timeoutMs: 300 })).rejects.toThrow("no end after 300 ms");
    expect((await host.run(["pgrep", "-f", "sleep 4711"])).code).toBe(1);
  });
});

longTest("a name is refused while its host is running", { timeout: TIMEOUT }, async () => {
  const name = named("twice");
  await withHosts([name], async (host) => {
    await expect(bootHost({ name })).rejects.toThrow(`a host named ${name} is running already`);
    expect(await host.must(["systemctl", "is-system-running"])).toBe("running\n");
  });
});

test("nothing is left of a host that was stopped", { timeout: TIMEOUT }, async () => {
  const name = named("stopped");
  const host = await bootHost({ name });
  expect(traces(name)).not.toEqual([]);
  execFileSync(SCRIPT, ["stop", name]);
  expect(traces(name)).toEqual([]);
  await host.stop();
});

test("a host is stopped when all of it is gone, however long that takes", { timeout: TIMEOUT }, async () => {
  const name = named("slowly");
  const folder = mkdtempSync(join(tmpdir(), "nspawn-host-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // What the reaper starts takes its time to end.
  for (const program of ["find", "rmdir", "mv"])
    writeFileSync(join(folder, program), `#!/bin/sh\n/usr/bin/${program} "$@"; code=$?; sleep 0.3; exit $code\n`, { mode: 0o755 });
  await bootAside([SCRIPT, "boot", name], { PATH: `${folder}:${process.env.PATH}` });
  execFileSync(SCRIPT, ["stop", name]);
  expect(traces(name)).toEqual([]);
});

test.each(sample(["orderly", "crash"] as const))("after a reboot (%s) a host is up on the same root", { timeout: TIMEOUT }, async (how) => {
  await withHosts([named("reboots")], async (host) => {
    const { leader } = host;
    await host.shell("echo kept > /root/file; systemd-run --quiet --unit=only-before sleep infinity");
    await host.reboot(how);
    expect(host.leader).not.toBe(leader);
    expect(readFileSync(`/proc/${host.leader}/comm`, "utf8")).toBe("systemd\n");
    expect(await host.must(["cat", "/root/file"])).toBe("kept\n");
    expect((await host.run(["systemctl", "is-active", "only-before"])).stdout).toBe("inactive\n");
    expect(await host.must(["systemctl", "is-system-running"])).toBe("running\n");
  });
});

test("a host that powers itself off ends, and nothing is left of it", { timeout: TIMEOUT }, async () => {
  const name = named("poweroff");
  const host = await bootHost({ name });
  await host.run(["systemctl", "poweroff"]);
  await expect.poll(() => traces(name)).toEqual([]);
  await host.stop();
});

test.each(sample(["memory", "disk"]))(
  "nothing is left of a host with its root in %s whose script was killed",
  { timeout: TIMEOUT },
  async (root) => {
    const name = named("killed");
    const booting = await bootAside([SCRIPT, "boot", name], { NSPAWN_HOST_ROOT: root });
    expect(loopDevices(name)).toHaveLength(root === "disk" ? 1 : 0);
    booting.kill("SIGKILL");
    await expect.poll(() => traces(name)).toEqual([]);
  },
);

longTest("nothing is left of a host when the parent of its script was killed", { timeout: TIMEOUT }, async () => {
  const name = named("orphan");
  const parent = await bootAside(["bash", "-c", '"$@"; exit', "parent", SCRIPT, "boot", name]);
  parent.kill("SIGKILL");
  await expect.poll(() => traces(name)).toEqual([]);
});

test("nothing is left of a host that was killed while it was being made", { timeout: TIMEOUT }, async () => {
  const name = named("early");
  for (const delay of sample([20, 60, 120, 250, 500, 800])) {
    const booting = spawn(SCRIPT, ["boot", name], { stdio: "ignore" });
    await sleep(delay);
    booting.kill("SIGKILL");
    await expect.poll(() => traces(name)).toEqual([]);
  }
});

/** Starts a command, and waits until a host that it boots is ready. */
async function bootAside([command = "", ...argv]: readonly string[], env: Record<string, string> = {}): Promise<ChildProcess> {
  const child = spawn(command, argv, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  await expect.poll(() => output, { timeout: TIMEOUT }).toMatch(/^ready /);
  return child;
}

/** All that there is of a host on this machine. */
function traces(name: string): string[] {
  return [...folders(name), ...mounts(name), ...loopDevices(name), ...processes(name)];
}

function folders(name: string): string[] {
  const cgroups = mountTable("self").filter((mount) => mount.includes(" - cgroup2 "));
  const parents = ["/run/nspawn-host", CACHE, ...cgroups.map((mount) => mount.split(" ")[4] ?? "")];
  return parents
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).map((entry) => `${parent}/${entry}`))
    .filter((path) => path.split(/[/.]/).includes(name))
    .map((path) => `folder ${path}`);
}

function mounts(name: string): string[] {
  return mountTable("self")
    .filter((mount) => mount.includes(name))
    .map((mount) => `mount ${mount}`);
}

function loopDevices(name: string): string[] {
  return readdirSync("/sys/block").filter((device) => readOrNothing(`/sys/block/${device}/loop/backing_file`).includes(`disk.${name}`));
}

/** A host's processes, and whatever else keeps its root mounted. The dead that this machine's first process has yet to bury do not count. */
function processes(name: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => !/^State:\tZ/m.test(readOrNothing(`/proc/${pid}/status`)))
    .filter((pid) => {
      const command = readOrNothing(`/proc/${pid}/cmdline`).split("\0");
      const inCgroup = readOrNothing(`/proc/${pid}/cgroup`).includes(`nspawn-host.${name}`);
      const seesRoot = mountTable(pid).some((mount) => mount.includes(`nspawn-host.${name} `));
      return command.includes(name) || command.includes(`--machine=${name}`) || inCgroup || seesRoot;
    })
    .map((pid) => `process ${pid}: ${readOrNothing(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
}

function mountTable(pid: string): string[] {
  return readOrNothing(`/proc/${pid}/mountinfo`).split("\n");
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
