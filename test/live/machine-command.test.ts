import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { MachineRow } from "../../src/engine/machine/row.js";
import type { MachineDetails } from "../../src/engine/machine/status.js";
import { serve } from "../support/server.js";
import { longTest } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, leaderOf, setupScript, succeed, writeScript } from "./support/machine.ts";

let host: DisposableHost;

const top = 'IMAGE("file://localhost/srv/fix/top.tar.gz");';
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent"];
const nspawn = (...words: readonly string[]): Promise<string> => succeed(host, ["nspawn", "machine", ...words]);
const list = async (...words: readonly string[]): Promise<readonly MachineRow[]> => JSON.parse(await nspawn("list", "--json", ...words));
const row = async (name: string, ...words: readonly string[]): Promise<MachineRow | undefined> =>
  (await list(...words)).find((one) => one.name === name);

beforeAll(async () => {
  host = await bootMachineHost("nspawn-machine-command");
  // One before the others: it brings the image.
  const run = 'MACHINE({ name: "m-run", serviceConf: ["CPUQuota=150%", "MemoryMax=64M", "TasksMax=50"] });';
  await succeed(host, [await writeScript(host, "/root/s/run.ts", setupScript(top, 'EXEC(["sh","-c","echo hello; sleep 600"]);', run))]);
  await Promise.all(
    [
      ["veth", 'EXEC(["sleep","600"]); WITH({ VirtualEthernet: true });', 'MACHINE({ name: "m-own", state: "keep" });'],
      // Longer than a start is watched.
      ["fail", 'EXEC(["sh","-c","echo oh no; sleep 2; exit 3"]);', 'MACHINE("m-fail");'],
      ["stop", 'EXEC(["sleep","600"]);', 'MACHINE("m-stop");'],
    ].map(async ([name, ...lines]) => succeed(host, [await writeScript(host, `/root/s/${name}.ts`, setupScript(top, ...lines))])),
  );
  for (const action of ["stop", "disable"]) await succeed(host, ["/root/s/stop.ts", `--action=${action}`]);
  await vi.waitFor(() => host.must(["systemctl", "is-failed", "m-fail"]), { timeout: 20_000, interval: 200 });
});
afterAll(() => host?.stop());

describe("list", () => {
  test("says what systemctl, ip and the control group say", async () => {
    const leader = await leaderOf(host, "m-own");
    const inNetwork = (...words: readonly string[]): Promise<string> => host.must(["nsenter", "-t", leader, "-n", "ip", ...words]);
    await inNetwork("address", "add", "10.77.0.2/24", "dev", "host0");
    await inNetwork("address", "add", "fd77::2/64", "dev", "host0", "nodad");
    await inNetwork("link", "set", "host0", "up");
    const rows = await list();
    expect(rows.map(({ name, state, enabled, network, addresses }) => [name, state, enabled, network, addresses])).toEqual([
      ["m-fail", "failed", true, undefined, []],
      ["m-own", "running", true, "own", ["10.77.0.2", "fd77::2"]],
      ["m-run", "running", true, "host", []],
      ["m-stop", "stopped", false, undefined, []],
    ]);
    const known = await inNetwork("-json", "address");
    const global = (JSON.parse(known) as { addr_info: { local: string; scope: string }[] }[]).flatMap(({ addr_info }) =>
      addr_info.filter(({ scope }) => scope === "global").map(({ local }) => local),
    );
    expect(rows[1]?.addresses).toEqual(global);
    for (const address of global) expect(await host.must(["machinectl", "status", "m-own"])).toContain(address);
    for (const { name, state, enabled, since, usage } of rows) {
      const show = async (property: string): Promise<string> =>
        (await host.must(["systemctl", "show", "--value", `--property=${property}`, `${name}.service`])).trim();
      expect(await show("ActiveState")).toBe({ running: "active", failed: "failed", stopped: "inactive" }[state as "running"]);
      expect(await show("UnitFileState")).toBe(enabled ? "enabled" : "disabled");
      if (state !== "running") continue;
      const entered = await host.must(["date", "-ud", await show("ActiveEnterTimestamp"), "+%FT%T"]);
      expect(since?.slice(0, "2026-11-24T04:11:04".length)).toBe(entered.trim());
      const cpu = Number(await show("CPUUsageNSec")) / 1e9;
      expect(usage.cpuSeconds).toBeGreaterThan(0);
      expect(usage.cpuSeconds).toBeLessThanOrEqual(cpu);
      const group = `/sys/fs/cgroup${await show("ControlGroup")}`;
      expect(usage.tasks).toBe(Number(await host.shell(`find ${group} -name cgroup.threads -exec cat {} + | wc -l`)));
      const resident = await host.shell(`find ${group} -name cgroup.procs -exec cat {} + | xargs -I{} grep VmRSS /proc/{}/status`);
      const kilobytes = [...resident.matchAll(/(\d+) kB/g)].reduce((sum, [, number]) => sum + Number(number), 0);
      if (usage.by === "processes") expect(usage.memoryBytes).toBe(kilobytes * 1024);
      else expect(usage.memoryBytes).toBeGreaterThan(0);
    }
  });

  test("is a table for people, needs no rights, and fits a terminal", async () => {
    const lines = (await nspawn("list")).split("\n");
    expect(lines[0]).toMatch(/^NAME +STATE +ENABLED +IMAGE +DIGEST +AGE +ADDRESS +UPTIME +CPU +MEMORY +TASKS$/);
    expect(lines[3]).toMatch(
      /^m-run +running +yes +file:\/\/localhost\/srv\/fix\/top\.tar\.gz +7b52fd0bb4be +\S.* host +\d+.* s +[\d.]+ s +~?[\d.]+ MB +2$/,
    );
    const seen = await succeed(host, [...nobody, "nspawn", "machine", "list", "--json"]);
    const still = ({ name, state, addresses, image, usage: { tasks } }: MachineRow) => ({ name, state, addresses, image, tasks });
    expect((JSON.parse(seen) as readonly MachineRow[]).map(still)).toEqual((await list()).map(still));
    const onTerminal = await host.shell("script -qec 'stty cols 80; nspawn machine list' /dev/null");
    const width = Math.max(
      ...stripVTControlCharacters(onTerminal)
        .split(/\r?\n/)
        .map((line) => line.length),
    );
    expect(width).toBeLessThanOrEqual(80);
    expect(onTerminal).toContain("IMAGE");
    const toFullDisk = (command: string): Promise<string> => failWith(host, 1, ["sh", "-c", `${command} > /dev/full`]);
    expect(await toFullDisk("nspawn machine list")).toContain("standard output cannot be written to: ENOSPC");
    await toFullDisk("nspawn machine list --json");
  });

  test("--all shows machines of others, too, in a network of their own", async () => {
    const command = "systemd-run --quiet --unit=theirs systemd-nspawn --quiet --keep-unit --private-network -M theirs --volatile=yes";
    await host.shell(`${command} --directory=/var/lib/machines/m-run sleep 600`);
    await expect.poll(() => row("theirs", "--all")).toMatchObject({ ours: false, state: "running", network: "own", addresses: [] });
    expect(await row("theirs")).toBeUndefined();
    expect(await nspawn("list", "--all")).toMatch(/^theirs +running +no +\(not of nspawn\)/m);
    expect(await failWith(host, 1, ["nspawn", "machine", "status", "theirs"])).toContain("theirs is no machine of nspawn");
    await host.must(["systemctl", "stop", "theirs"]);
  });

  longTest("--check tells what a URL has now, and does not know when the server is silent", async () => {
    let version = 1;
    let answers = true;
    const archive = readFileSync(new URL("../fixtures/python-nspawn/rootfs.tar.gz", import.meta.url));
    const server = await serve(({ method }, response) => {
      if (!answers) return;
      response.setHeader("etag", `"${version}"`).setHeader("content-length", archive.length);
      response.end(method === "HEAD" ? undefined : archive);
    });
    const lines = [`IMAGE("${server}/root.tar.gz");`, 'EXEC(["sleep","600"]);', 'MACHINE("m-web");'];
    const script = await writeScript(host, "/root/s/web.ts", setupScript(...lines));
    await succeed(host, [script]);
    const patience = ["--check", "--config", "[network]check_timeout=1"];
    const newer = async () => (await row("m-web", ...patience))?.newer;
    expect(await newer()).toEqual({ answer: "no" });
    version = 2;
    expect(await newer()).toEqual({ answer: "yes" });
    expect((await row("m-web"))?.newer).toBeUndefined();
    expect(await nspawn("status", "m-web", "--check")).toContain("its URL has a newer one");
    answers = false;
    const began = performance.now();
    expect(await newer()).toEqual({ answer: "unknown", why: "no answer within 1 s" });
    expect(performance.now() - began).toBeLessThan(8000);
    expect(await nspawn("list", ...patience)).toMatch(/^not known: http.*: no answer within 1 s$/m);
    await succeed(host, [script, "--action=desure"]);
  });
});

describe("status", () => {
  test("shows all of a machine, the same by its script", async () => {
    const [details] = JSON.parse(await nspawn("status", "m-run", "--json")) as readonly [MachineDetails];
    expect(details).toMatchObject({
      name: "m-run",
      state: "running",
      unit: "/etc/systemd/system/m-run.service",
      script: "/root/s/run.ts",
      systemd: { load: "loaded", active: "active", sub: "running", result: "success" },
      limits: { cpus: 1.5, memoryBytes: 64 * 2 ** 20, tasks: 50 },
      root: { state: "volatile", folder: "/var/lib/nspawn/runtime/m-run/1" },
      generations: [{ number: 1, image: "file://localhost/srv/fix/top.tar.gz", current: true }],
      trouble: [],
    });
    expect(details.layers.map(({ url }) => url.split("/").at(-1))).toEqual(
      ["top", "right", "left", "base", "rootfs"].map((one) => `${one}.tar.gz`),
    );
    expect(details.settings).toContainEqual({ name: "Hostname", value: "top", origin: "file://localhost/srv/fix/top.tar.gz" });
    expect(details.root.bytes).toBe(Number.parseInt(await host.must(["du", "-sxB1", details.root.folder]), 10));
    const [veth] = JSON.parse(await nspawn("status", "m-own", "--json")) as readonly [MachineDetails];
    expect(veth.root.state).toBe("keep");
    const still = (text: string): string => text.replace(/\d+ (min \d\d )?s\b|[\d.]+ %|[\d.]+ s\b|just now|\d+ minutes? ago/g, "…");
    expect(still(await succeed(host, ["/root/s/run.ts", "--action=status"]))).toBe(still(await nspawn("status", "m-run")));
    expect(JSON.parse(await succeed(host, [...nobody, "nspawn", "machine", "status", "m-run", "--json"]))).toMatchObject([
      { name: "m-run", state: "running", layers: details.layers },
    ]);
  });

  test("ends with 1 if one does not run, and says why it failed", async () => {
    const text = await failWith(host, 1, ["nspawn", "machine", "status", "m-run", "m-fail"]);
    expect(text).toMatch(/last failure\n {2}exit-code, exit code 3\n(.*\n)* {2}│ oh no\n/);
    expect(text).toMatch(/^machine m-run {2}running$/m);
    expect(await failWith(host, 1, ["/root/s/stop.ts", "--action=status"])).toMatch(/^machine m-stop {2}stopped$/m);
  });

  test("of what is not there ends with 1, of what is no name with 2", async () => {
    expect(await failWith(host, 1, ["nspawn", "machine", "status", "m-onw"])).toContain("hint: did you mean m-own?");
    expect(await failWith(host, 1, ["nspawn", "machine", "logs", "dbus"])).toContain("there is no machine dbus on this host");
    expect(await failWith(host, 2, ["nspawn", "machine", "status", "m_run"])).toContain("is no machine name");
    expect(await failWith(host, 2, ["nspawn", "machine", "status"])).toContain("missing required argument");
    const events = await failWith(host, 1, ["nspawn", "machine", "status", "nothing", "--json"]);
    expect(JSON.parse(events)).toMatchObject({ event: "error", exit: 1 });
  });

  longTest("tells who works on the machine", async () => {
    const script = await writeScript(host, "/root/s/slow.ts", setupScript(top, 'MACHINE("m-run");', 'SH("sleep 3");'));
    const working = host.run([script, "--action=command"]);
    const lockedBy = async () => (JSON.parse(await nspawn("status", "m-run", "--json")) as readonly [MachineDetails])[0].lockedBy;
    await expect.poll(lockedBy).toMatch(/^process \d+ \(machine m-run\)$/);
    expect((await working).code).toBe(0);
    expect(await lockedBy()).toBeUndefined();
  });
});

describe("logs", () => {
  test("are those of the machine's unit, cut and as JSON", async () => {
    expect(await nspawn("logs", "m-run")).toMatch(/m-run\[\d+\]: hello\n/);
    const last = await nspawn("logs", "m-fail", "--lines", "2");
    expect(last.trim().split("\n")).toHaveLength(2);
    expect(last).toContain("Failed with result 'exit-code'");
    const entries = (await nspawn("logs", "m-fail", "--since", "today", "--json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.map(({ MESSAGE }) => MESSAGE)).toContain("oh no");
    expect(await nspawn("logs", "m-fail", "--since", "tomorrow")).toBe("-- No entries --\n");
    expect(await failWith(host, 2, ["nspawn", "machine", "logs", "m-run", "--lines", "x"])).toContain("whole number");
  });

  longTest("are followed until Ctrl-C, which is the exit code", async () => {
    const following = host.run(["timeout", "--signal=INT", "--preserve-status", "5", "nspawn", "machine", "logs", "m-own", "--follow"]);
    await new Promise((done) => setTimeout(done, 2500));
    await host.must(["systemctl", "restart", "m-own"]);
    const { code, stdout } = await following;
    expect(stdout).toContain("Started m-own.service");
    expect(stdout).toMatch(/Stopp(ing|ed) m-own\.service[\s\S]*Started m-own\.service/);
    expect(code).toBe(130);
  });
});
