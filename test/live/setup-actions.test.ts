import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { longTest } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, inMachine, leaderOf, setupScript, succeed, traces, writeScript } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  host = await bootMachineHost("nspawn-setup-actions");
});
afterAll(() => host?.stop());
afterEach(async () => {
  await host.shell(
    "for unit in /etc/systemd/system/m-*.service; do [ -e $unit ] || continue; systemctl stop $(basename $unit); rm $unit; done; systemctl daemon-reload",
  );
});

const top = 'IMAGE("file://localhost/srv/fix/top.tar.gz");';
const isActive = async (unit: string): Promise<string> => (await host.run(["systemctl", "is-active", unit])).stdout.trim();
const isEnabled = async (unit: string): Promise<string> => (await host.run(["systemctl", "is-enabled", unit])).stdout.trim();

test("the Python tool's images run as a machine: stacked in order, its command, its settings, its deletions", async () => {
  const script = await writeScript(host, "/root/s/top.ts", setupScript(top, 'MACHINE("m-top");'));
  await succeed(host, [script]);
  expect(await inMachine(host, "m-top", ["cat", "/opt/who", "/opt/seen"])).toBe("right\nright\n");
  expect(await inMachine(host, "m-top", ["ls", "/etc"])).not.toContain("issue");
  expect((await inMachine(host, "m-top", ["ls", "/opt"])).trim().split("\n")).toEqual(["base", "left", "list", "right", "seen", "who"]);
  expect(await inMachine(host, "m-top", ["hostname"])).toBe("top\n");
  const environment = await inMachine(host, "m-top", ["cat", "/proc/1/environ"]);
  for (const variable of ["TOP=1", "RIGHT=1", "LEFT=1", "LAYER=base"]) expect(environment.split("\0")).toContain(variable);
  expect(await host.must(["machinectl", "list", "--no-legend"])).toMatch(/^m-top\s+container\s+systemd-nspawn/m);
  expect(await host.must(["journalctl", "-u", "m-top", "-o", "cat"])).toMatch(/^top$/m);
  const unit = await host.must(["cat", "/etc/systemd/system/m-top.service"]);
  expect(unit).toMatch(/#\s+Hostname="top" {2}# file:\/\/localhost\/srv\/fix\/top\.tar\.gz/);
  const order = [...unit.matchAll(/^# [0-9a-f]{16} = file:\/\/localhost\/srv\/fix\/(\w+)\.tar\.gz/gm)].map(([, name]) => name);
  expect(order).toEqual(["top", "right", "left", "base", "rootfs"]);
});

test("EXEC runs as written, quotes and all", async () => {
  const command = `EXEC(['/usr/bin/env','sh','-c','echo "hello-kitty"; sleep 600']);`;
  await succeed(host, [await writeScript(host, "/root/s/kitty.ts", setupScript(top, 'MACHINE("m-kitty");', command))]);
  expect(await host.must(["journalctl", "-u", "m-kitty", "-o", "cat"])).toMatch(/^hello-kitty$/m);
});

test("an update without a change does nothing; a new image restarts the machine on it, and the old layer stays as it was", async () => {
  await host.shell("mkdir -p /srv/up && cp /srv/fix/rootfs.tar.gz /srv/up/image.tar.gz");
  const lines = ['IMAGE("file:///srv/up/image.tar.gz");', 'MACHINE("m-up");', 'EXEC(["sleep","600"]);'];
  const script = await writeScript(host, "/root/s/up.ts", setupScript(...lines));
  await succeed(host, [script]);
  const leader = await leaderOf(host, "m-up");
  expect(await succeed(host, [script])).toContain("machine m-up is up to date");
  expect(await leaderOf(host, "m-up")).toBe(leader);
  // Another version of the same URL: the running machine sees nothing of it.
  await host.shell("cd $(mktemp -d) && tar xzf /srv/fix/rootfs.tar.gz && echo new > opt/version && tar czf /srv/up/image.tar.gz .");
  expect(await inMachine(host, "m-up", ["ls", "/opt"])).toBe("");
  expect(await succeed(host, [script])).toContain("machine m-up is updated");
  expect(await leaderOf(host, "m-up")).not.toBe(leader);
  expect(await inMachine(host, "m-up", ["cat", "/opt/version"])).toBe("new\n");
});

test("each action does its part, twice is no harm, and desure leaves the host as it was", async () => {
  const script = await writeScript(host, "/root/s/life.ts", setupScript(top, 'MACHINE("m-life");'));
  const unit = "m-life.service";
  // The store keeps what was pulled; it is there before, so that only the machine's own traces count.
  await succeed(host, [script, "--action=create"]);
  await succeed(host, [script, "--action=delete"]);
  const before = await traces(host);

  await succeed(host, [script, "--action=create"]);
  expect([await isActive(unit), await isEnabled(unit)]).toEqual(["inactive", "disabled"]);
  expect(await failWith(host, 1, [script, "--action=create"])).toContain("is there already");
  await succeed(host, [script, "--action=enable"]);
  await succeed(host, [script, "--action=enable"]);
  expect(await isEnabled(unit)).toBe("enabled");
  await succeed(host, [script, "--action=start"]);
  const leader = await leaderOf(host, "m-life");
  await succeed(host, [script, "--action=start"]);
  await succeed(host, [script, "--action=ensure"]);
  expect(await leaderOf(host, "m-life")).toBe(leader);
  expect(await failWith(host, 1, [script, "--action=delete"])).toContain("runs (active)");
  await succeed(host, [script, "--action=stop"]);
  await succeed(host, [script, "--action=stop"]);
  expect(await isActive(unit)).toBe("inactive");
  await succeed(host, [script, "--action=disable"]);
  expect(await isEnabled(unit)).toBe("disabled");
  await succeed(host, [script, "--action=ensure"]);
  expect([await isActive(unit), await isEnabled(unit)]).toEqual(["active", "enabled"]);
  await succeed(host, [script, "--action=desure"]);
  expect(await succeed(host, [script, "--action=desure"])).toContain("is not there");
  expect(await traces(host)).toBe(before);
  for (const action of ["start", "stop", "enable", "disable", "delete"]) {
    expect(await failWith(host, 1, [script, `--action=${action}`])).toContain("there is no machine m-life");
  }
});

longTest("what starts with the host is known to systemd at once, and told by the links, whatever systemd last read", async () => {
  const script = await writeScript(host, "/root/s/links.ts", setupScript(top, 'MACHINE("m-links");'));
  const link = "/etc/systemd/system/machines.target.wants/m-links.service";
  const known = async (): Promise<readonly [string, boolean]> => [
    await host.must(["systemctl", "show", "--property=UnitFileState,NeedDaemonReload", "m-links"]),
    (await host.must(["systemctl", "show", "--value", "--property=Wants", "machines.target"]))
      .trim()
      .split(" ")
      .includes("m-links.service"),
  ];
  for (const round of [1, 2, 3]) {
    await succeed(host, [script]);
    // The target's list is of use when the target starts, which is after the next boot: reading all units anew for it would take longer than all the rest.
    expect((await known())[0], `${round}`).toBe("UnitFileState=enabled\nNeedDaemonReload=no\n");
    expect((await host.run(["test", "-L", link])).code).toBe(0);
    await succeed(host, [script, "--action=desure"]);
    expect(await known(), `${round}`).toEqual(["UnitFileState=\nNeedDaemonReload=no\n", false]);
  }
  await succeed(host, [script, "--action=create"]);
  for (const action of ["disable", "desure"]) {
    await host.must(["systemctl", "enable", "--quiet", "--no-reload", "m-links"]);
    expect(await succeed(host, [script, `--action=${action}`])).toContain("machine m-links does not start with the host");
    expect((await host.run(["test", "-L", link])).code, action).toBe(1);
  }
  await succeed(host, [script]);
  await host.must(["rm", link]);
  expect(await succeed(host, [script, "--action=ensure"])).toContain("machine m-links starts with the host");
  expect((await host.run(["test", "-L", link])).code).toBe(0);
  await succeed(host, [script, "--action=desure"]);
});

test("a new machine starts, and systemd knows that it starts with the host, whatever systemd has of a unit of its name", async () => {
  const lines = [top, 'MACHINE("m-known");', 'EXEC(["sleep", "600"]);'];
  const script = await writeScript(host, "/root/s/known.ts", setupScript(...lines));
  const isThere = async (): Promise<void> => {
    expect(await succeed(host, [script])).toContain("machine m-known is new");
    const state = ["systemctl", "show", "--property=ActiveState,UnitFileState,NeedDaemonReload", "m-known"];
    expect((await host.must(state)).trim().split("\n").sort()).toEqual([
      "ActiveState=active",
      "NeedDaemonReload=no",
      "UnitFileState=enabled",
    ]);
    expect(await isEnabled("m-known")).toBe("enabled");
    expect(await inMachine(host, "m-known", ["cat", "/opt/who"])).toBe("right\n");
  };
  // Another unit names it, so that systemd remembers that it is not there.
  await host.shell(
    "printf '[Unit]\nWants=m-known.service\n[Service]\nExecStart=sleep 600\n' > /run/systemd/system/names-it.service; systemctl daemon-reload; systemctl start names-it; systemctl show m-known",
  );
  await isThere();
  // Removed by other hands, and systemd not told; then when it has failed too often.
  await host.shell("systemctl stop m-known; rm /etc/systemd/system/m-known.service /etc/systemd/system/*.wants/m-known.service");
  await isThere();
  await host.shell(
    "sed -i 's/^ExecStart=.*/ExecStart=false/; /^  -/d; /^  sleep/d; /^  600/d' /etc/systemd/system/m-known.service; systemctl daemon-reload; systemctl restart m-known || true; for i in 1 2 3 4 5 6; do systemctl start m-known || true; done; rm /etc/systemd/system/m-known.service /etc/systemd/system/*.wants/m-known.service",
  );
  expect(await isActive("m-known")).toBe("failed");
  await isThere();
  await host.shell("systemctl stop names-it; rm /run/systemd/system/names-it.service; systemctl daemon-reload");
});

test("steps on the host run when the machine is created or updated, or on command, and never on start and stop", async () => {
  await host.shell("mkdir -p /root/s/steps/etc && echo '{{ who }}' > /root/s/steps/etc/cast && echo plain > /root/s/steps/etc/copy");
  const lines = [
    top,
    'MACHINE("m-steps");',
    'COPY({ source: "/etc/copy", target: "/srv/steps/copy" });',
    'CAST({ source: "/etc/cast", target: "/srv/steps/cast" }, { who: "host" });',
    'RUN(["touch", "/srv/steps/run"]);',
    'SH("pwd >> /srv/steps/log");',
  ];
  const script = await writeScript(host, "/root/s/steps/setup.ts", setupScript(...lines));
  const runs = async (): Promise<number> => Number((await host.run(["sh", "-c", "wc -l < /srv/steps/log"])).stdout.trim() || 0);
  await succeed(host, [script, "--action=create"]);
  expect(await host.must(["cat", "/srv/steps/copy", "/srv/steps/cast"])).toBe("plain\nhost\n");
  expect(await runs()).toBe(1);
  for (const action of ["start", "enable", "disable", "stop"]) await succeed(host, [script, `--action=${action}`]);
  expect(await runs()).toBe(1);
  await succeed(host, [script, "--action=command"]);
  expect(await runs()).toBe(2);
  await succeed(host, [script]);
  expect(await runs()).toBe(3);
  expect(await host.must(["tail", "-n1", "/srv/steps/log"])).toBe("/root/s/steps\n");
});

longTest("a version that does not start is taken back: the old machine runs, and the message says so", async () => {
  const good = ['EXEC(["sleep","600"]);', 'MACHINE("m-back");'];
  const script = await writeScript(host, "/root/s/back.ts", setupScript(top, ...good));
  await succeed(host, [script]);
  const unit = await host.must(["cat", "/etc/systemd/system/m-back.service"]);
  await writeScript(
    host,
    script,
    setupScript(top, 'MACHINE("m-back");', 'WITH({ Bind: "/srv:/proc/version/a" });', 'EXEC(["sleep","600"]);'),
  );
  const output = await failWith(host, 1, [script]);
  expect(output).toContain("m-back.service does not start");
  expect(output).toContain("runs as it was before");
  expect(await isActive("m-back.service")).toBe("active");
  expect(await host.must(["cat", "/etc/systemd/system/m-back.service"])).toBe(unit);
});

test("a unit that systemd refuses is not installed, and the machine runs on", async () => {
  const script = await writeScript(host, "/root/s/bad.ts", setupScript(top, 'MACHINE("m-bad");'));
  await succeed(host, [script]);
  const leader = await leaderOf(host, "m-bad");
  await writeScript(host, script, setupScript(top, 'MACHINE({ name: "m-bad", serviceConf: ["ExecStartPre=relative/path"] });'));
  expect(await failWith(host, 1, [script])).toContain("systemd refuses the unit m-bad.service");
  expect(await leaderOf(host, "m-bad")).toBe(leader);
});

test("desure shows what it does and does it, whether or not the image can still be had", async () => {
  const path = "/root/s/dead.ts";
  await succeed(host, [await writeScript(host, path, setupScript(top, 'MACHINE("m-dead");'))]);
  const dead = await writeScript(host, path, setupScript('IMAGE("http://127.0.0.1:9/gone.tar.gz");', 'MACHINE("m-dead");'));
  expect(await failWith(host, 1, [dead, "--plan"])).toContain("the plan is incomplete, since http://127.0.0.1:9/gone.tar.gz cannot be had");
  const plan = await succeed(host, [dead, "--plan", "--action=desure"]);
  for (const part of ["  stops\n", "its writable layer is removed", "/var/lib/machines/m-dead", "-# nspawn machine m-dead"])
    expect(plan).toContain(part);
  expect(plan).not.toContain("127.0.0.1");
  expect(await isActive("m-dead.service")).toBe("active");
  await succeed(host, [dead, "--action=desure"]);
  expect((await host.run(["systemctl", "cat", "m-dead"])).code).not.toBe(0);
});

test("a service that is no machine of ours is not touched", async () => {
  const before = await host.must(["systemctl", "show", "--property=FragmentPath,MainPID", "dbus.service"]);
  const script = await writeScript(host, "/root/s/dbus.ts", setupScript(top, 'MACHINE("dbus");'));
  // As of a machine whose unit was removed by hand.
  const generation = "/var/lib/nspawn/generation/dbus/1/unit";
  await host.must(["install", "-D", "/dev/null", generation]);
  for (const action of ["update", "ensure", "desure", "stop"]) {
    expect(await failWith(host, 1, [script, `--action=${action}`])).toContain("dbus.service is no machine of nspawn");
  }
  expect(await host.must(["systemctl", "show", "--property=FragmentPath,MainPID", "dbus.service"])).toBe(before);
  await host.must(["rm", generation]);
  await host.must(["rm", "--recursive", "/var/lib/nspawn/generation/dbus"]);
});

longTest("what the machine writes is gone when it stops, unless its state is kept, which an update clears", async () => {
  for (const state of ["volatile", "keep"]) {
    const name = `m-${state}`;
    const machine = `MACHINE({ name: "${name}", state: "${state}" });`;
    const script = await writeScript(host, `/root/s/${state}.ts`, setupScript(top, machine));
    await succeed(host, [script]);
    await inMachine(host, name, ["touch", "/root/written"]);
    await succeed(host, [script, "--action=stop"]);
    await succeed(host, [script, "--action=start"]);
    const there = (await inMachine(host, name, ["ls", "/root"])).includes("written");
    expect(there, state).toBe(state === "keep");
    await writeScript(host, script, setupScript(top, machine, 'WITH({ Environment: { CHANGED: "1" } });'));
    await succeed(host, [script]);
    expect(await inMachine(host, name, ["ls", "/root"]), state).not.toContain("written");
  }
});

test("two setups of one machine at once both finish, one after the other", async () => {
  const script = await writeScript(host, "/root/s/two.ts", setupScript(top, 'MACHINE("m-two");'));
  const results = await Promise.all([host.run([script]), host.run([script]), host.run([script])]);
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(results.filter(({ stdout }) => stdout.includes("machine m-two is new"))).toHaveLength(1);
  expect(await isActive("m-two.service")).toBe("active");
});
