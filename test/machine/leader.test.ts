import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { listProcesses } from "../../src/host/processes.js";
import { findLeader, machineRunBy, type RunningMachine, runningMachines } from "../../src/machine/leader.js";
import { tempFolder } from "../support/temp.js";

/**
 * A program with the name of systemd-nspawn, whose working folder has the machine's name, and a child of it.
 * @param options of unshare(1): what it does beside making that child
 */
async function start(name: string, options: readonly string[]): Promise<{ readonly supervisor: number; readonly child: number }> {
  const folder = tempFolder();
  mkdirSync(join(folder, name));
  copyFileSync("/usr/bin/unshare", join(folder, "systemd-nspawn"));
  const argv = [...options, "--fork", "--kill-child=KILL", "sleep", "60"];
  const supervisor = spawn(join(folder, "systemd-nspawn"), argv, { cwd: join(folder, name), stdio: "ignore" });
  onTestFinished(() => void supervisor.kill("SIGKILL"));
  const childOf = (): number | undefined =>
    listProcesses().find((process) => process.parent === supervisor.pid && process.name === "sleep")?.pid;
  await expect.poll(childOf, { timeout: 5000 }).toBeDefined();
  return { supervisor: supervisor.pid ?? 0, child: childOf() ?? 0 };
}

const found = (name: string, registry = "/nonexistent"): RunningMachine | undefined =>
  runningMachines(registry).find((machine) => machine.name === name);

describe.skipIf(process.getuid?.() !== 0)("the machines that run", () => {
  test("are what a systemd-nspawn has as process 1 of a namespace, by the name that it gives them", async () => {
    const { supervisor, child } = await start("leader-own", ["--pid"]);
    expect(found("leader-own")).toMatchObject({ supervisor: { pid: supervisor, name: "systemd-nspawn" }, leader: { pid: child } });
    expect(machineRunBy(supervisor)).toEqual(found("leader-own"));
    expect(machineRunBy(child)).toBeUndefined();
    expect(machineRunBy(process.pid)).toBeUndefined();
  });

  test("have the name that systemd-machined knows them by, if it does", async () => {
    const { supervisor, child } = await start("leader-folder", ["--pid"]);
    const registry = tempFolder();
    writeFileSync(join(registry, "leader-known"), `# This is private data. Do not parse.\nNAME=leader-known\nLEADER=${child}\n`);
    writeFileSync(join(registry, "leader-gone"), "LEADER=1\n");
    mkdirSync(join(registry, "unit:leader.scope"));
    expect(found("leader-known", registry)).toMatchObject({ leader: { pid: child } });
    expect(machineRunBy(supervisor, registry)?.name).toBe("leader-known");
    expect(found("leader-folder", registry)).toBeUndefined();
    expect(found("leader-gone", registry)).toBeUndefined();
    // The link of its unit may lead to one that is gone.
    const unit = found("leader-known", registry)?.unit;
    symlinkSync("leader-gone", join(registry, `unit:${unit}`));
    expect(machineRunBy(supervisor, registry)?.name).toBe("leader-known");
    rmSync(join(registry, `unit:${unit}`));
    symlinkSync("leader-known", join(registry, `unit:${unit}`));
    expect(machineRunBy(supervisor, registry)).toEqual(found("leader-known", registry));
  });

  test("are none of what only looks like one: without a namespace of its own", async () => {
    const { supervisor } = await start("leader-plain", ["--uts"]);
    expect(found("leader-plain")).toBeUndefined();
    expect(machineRunBy(supervisor)).toBeUndefined();
  });
});

test("a leader is found by its unit", () => {
  const process = { pid: 1, name: "x", parent: 0, group: 0, session: 0, started: "0" };
  const machine = (unit: string | undefined, pid: number): RunningMachine => ({
    name: "web",
    supervisor: process,
    leader: { ...process, pid },
    unit,
  });
  const machines = [machine(undefined, 7), machine("web.service", 8), machine("machine-web.scope", 9)];
  expect(findLeader(machines, "web.service")?.pid).toBe(8);
  expect(findLeader(machines, "other.service")).toBeUndefined();
});
