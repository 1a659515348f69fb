import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { longTest, sample } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, inMachine, leaderOf, setupScript, succeed, traces, writeScript } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  // A network of its own: its nginx takes port 80, as those of other hosts do.
  host = await bootMachineHost("nspawn-setup-update", { networkVeth: true });
  await host.shell("mkdir -p /etc/nspawn /root/s; printf '[machine]\\nsettle_time = 0.1\\n' > /etc/nspawn/config.ini");
});
afterAll(() => host?.stop());
afterEach(async () => {
  await host.shell(
    [
      "for unit in /etc/systemd/system/u-*.service; do [ -e $unit ] || continue; systemctl disable --now -q $(basename $unit) || true; rm -f $unit; done",
      "systemctl daemon-reload; rm -rf /var/lib/nspawn/generation/u-*",
    ].join("\n"),
  );
});

const image = 'IMAGE("file:///srv/fix/rootfs.tar.gz");';
const runs = 'EXEC(["sleep", "600"]);';
const machine = (name: string, fields = ""): string => `MACHINE({ name: "${name}", ${fields} });`;
const version = (value: string | number): string => `WITH({ Environment: { VERSION: "${value}" } });`;
const write = (name: string, ...lines: readonly string[]): Promise<string> =>
  writeScript(host, `/root/s/${name}.ts`, setupScript(...lines));
const generations = async (name: string): Promise<string> =>
  (await host.shell(`ls /var/lib/nspawn/generation/${name} | sort -n | tr '\\n' ' '`)).trim();
const versionOf = async (name: string): Promise<string> =>
  (await host.shell(`tr '\\0' '\\n' < /proc/${await leaderOf(host, name)}/environ | sed -n s/^VERSION=//p`)).trim();

describe("what fails before the swap leaves the old machine alone", () => {
  test("the image is gone, the archive is corrupt, the unit is invalid, a step on the host fails", async () => {
    const archive = 'IMAGE("file:///srv/up/image.tar.gz");';
    const fails: readonly (readonly [string, string, string, string])[] = [
      ["rm image.tar.gz", archive, "", "image.tar.gz"],
      ["head -c 300000 /srv/fix/rootfs.tar.gz > image.tar.gz", archive, "", "image.tar.gz"],
      ["true", image, 'serviceConf: ["ExecStartPre=relative/path"]', "systemd refuses the unit"],
      ["true", `${image} SH("exit 4");`, "", "exit code 4"],
    ];
    await host.shell("mkdir -p /srv/up; cp /srv/fix/rootfs.tar.gz /srv/up/image.tar.gz");
    const script = await write("u-before", archive, machine("u-before"), runs);
    await succeed(host, [script]);
    const leader = await leaderOf(host, "u-before");
    for (const [damage, line, conf, message] of fails) {
      await host.shell(`cd /srv/up; ${damage}`);
      await write("u-before", line, machine("u-before", conf), runs, version(2));
      expect(await failWith(host, 1, [script])).toContain(message);
      expect(await leaderOf(host, "u-before")).toBe(leader);
      expect(await generations("u-before")).toBe("1");
    }
  });
});

describe("a version that does not work is taken back, and what it was is told", () => {
  const fails: readonly (readonly [string, string, string, string])[] = [
    ["its command ends with an error", "", 'EXEC(["sh", "-c", "echo last-words; exit 3"]);', "has ended with a failure (exit-code)"],
    ["Restart= hides the error", 'serviceConf: ["Restart=always"]', 'EXEC(["sh", "-c", "echo last-words; exit 3"]);', "as Restart= says"],
    ["Restart= hides that it ends", 'serviceConf: ["Restart=always"]', 'EXEC(["sh", "-c", "echo last-words"]);', "as Restart= says"],
    [
      "its systemd does not get ready",
      "",
      'WITH({ BindReadOnly: "/srv/hang/systemd:/systemd" }); EXEC(["/systemd"]);',
      "does not get ready",
    ],
    ["the command of its probe fails", 'probe: { command: "echo not-yet >&2; exit 7", timeout: 0.6 }', runs, "exit code 7: not-yet"],
    ["the command of its probe hangs", 'probe: { command: ["sleep", "60"], timeout: 0.6 }', runs, "in 0.6 s: sleep 60: no answer"],
    ["nobody takes its connections", "probe: { tcp: 4999, timeout: 0.6 }", runs, "TCP port 4999 of the machine: connect ECONNREFUSED"],
    ["nobody answers at its URL", 'probe: { http: "http://127.0.0.1:4999/", timeout: 0.6 }', runs, "http://127.0.0.1:4999/: connect"],
    ["its command ends before the probe", 'probe: { command: "true" }', 'EXEC(["true"]);', "its command has ended"],
  ];

  test("each way to fail, one after the other, on one machine", async () => {
    await host.shell(
      "mkdir -p /srv/hang; printf '#!/bin/sh\\necho last-words\\nsleep 600\\n' > /srv/hang/systemd; chmod 755 /srv/hang/systemd",
    );
    const script = await write("u-back", image, machine("u-back", 'state: "keep"'), runs, version(1));
    await succeed(host, [script]);
    await inMachine(host, "u-back", ["sh", "-c", "echo precious > /root/data"]);
    const unit = await host.must(["cat", "/etc/systemd/system/u-back.service"]);
    for (const [what, fields, lines, message] of sample(fails)) {
      await write("u-back", image, machine("u-back", `state: "keep", ${fields}`), lines);
      const output = await failWith(host, 1, [script, "--config", "[machine]ready_timeout=0.6"]);
      expect(output, what).toContain(message);
      expect(output, what).toContain("the machine u-back runs as it was before");
      if (lines.includes("last-words") || lines.includes("/systemd")) expect(output, what).toMatch(/\| last-words$/m);
      expect(await host.must(["cat", "/etc/systemd/system/u-back.service"]), what).toBe(unit);
      expect(await inMachine(host, "u-back", ["cat", "/root/data"]), what).toBe("precious\n");
      expect(await versionOf("u-back"), what).toBe("1");
      expect([await generations("u-back"), (await host.shell("ls /var/lib/nspawn/runtime/u-back")).trim()], what).toEqual(["1", "1"]);
    }
  });

  longTest("a first one leaves nothing; one that was stopped is not started", async () => {
    const before = await traces(host);
    const bad = machine("u-first", 'probe: { command: "false", timeout: 0.3 }');
    const script = await write("u-first", image, bad, runs);
    expect(await failWith(host, 1, [script])).toContain("nothing of it stays");
    expect(await traces(host)).toBe(before);
    expect(await host.shell("ls /var/lib/nspawn/generation")).not.toContain("u-first");
    await write("u-first", image, machine("u-first"), runs);
    await succeed(host, [script]);
    await succeed(host, [script, "--action=stop"]);
    await write("u-first", image, bad, runs, version(2));
    expect(await failWith(host, 1, [script])).toContain("is as it was before, and does not run");
    expect((await host.run(["systemctl", "is-active", "u-first"])).stdout).toBe("inactive\n");
  });
});

test("a probe is tried until it succeeds: a command, a port of the machine, a URL", async () => {
  const serve = 'EXEC(["sh", "-c", "sleep 0.5; echo hello > /root/index.html; touch /root/up; httpd -p 8077 -h /root; exec sleep 600"]);';
  for (const probe of sample(['{ http: "http://127.0.0.1:8077/index.html" }', '{ command: "test -e /root/up" }', "{ tcp: 8077 }"])) {
    const script = await write("u-probe", image, machine("u-probe", `probe: ${probe}`), serve, version(probe.slice(2, 5)));
    expect(await succeed(host, [script])).toMatch(/machine u-probe is (new|updated)/);
    expect(await inMachine(host, "u-probe", ["cat", "/root/index.html"]), probe).toBe("hello\n");
  }
});

test("nothing changed: nothing is touched, and a new probe alone is only noted", async () => {
  const script = await write("u-same", image, machine("u-same"), runs);
  await succeed(host, [script]);
  const seen = (): Promise<string> =>
    host.shell(
      "stat -c '%n %Z' /etc/systemd/system/u-same.service /var/lib/nspawn/generation/u-same/1/*; systemctl show -p InvocationID u-same",
    );
  const before = await seen();
  expect(await succeed(host, [script])).toContain("machine u-same is up to date");
  expect(await seen()).toBe(before);
  await write("u-same", image, machine("u-same", "probe: { tcp: 4999 }"), runs);
  expect(await succeed(host, [script])).toContain("machine u-same is up to date");
  expect(await host.must(["cat", "/var/lib/nspawn/generation/u-same/1/generation.json"])).toContain('"port": 4999');
});

longTest("on a full disk the old machine runs on", async () => {
  await host.shell("mkdir -p /srv/small; mount -t tmpfs -o size=80m tmpfs /srv/small");
  const env = { NSPAWN_STORAGE_ROOT: "/srv/small/store" };
  const script = await write("u-full", image, machine("u-full", 'state: "keep"'), runs, version(1));
  expect((await host.run([script], { env })).code).toBe(0);
  await host.shell("dd if=/dev/zero of=/srv/small/fill bs=64k 2>/dev/null || true");
  await write("u-full", image, machine("u-full", 'state: "keep"'), runs, version(2));
  const { code, stderr } = await host.run([script], { env });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/no space|ENOSPC|room|full/i)]);
  expect(await versionOf("u-full")).toBe("1");
  await host.shell("rm /srv/small/fill");
  expect((await host.run([script], { env })).code).toBe(0);
  expect(await versionOf("u-full")).toBe("2");
  expect((await host.run([script, "--action=desure"], { env })).code).toBe(0);
  await host.shell("umount /srv/small");
});

longTest("an interrupt while the probe is tried puts the old machine back", async () => {
  const script = await write("u-int", image, machine("u-int"), runs, version(1));
  await succeed(host, [script]);
  await write("u-int", image, machine("u-int", 'probe: { command: ["sleep", "60"] }'), runs, version(2));
  const { code, stdout, stderr } = await host.run([
    "bash",
    "-c",
    `${script} & pid=$!; until pgrep -fx 'sleep 60' >/dev/null || ! kill -0 $pid; do sleep 0.05; done; kill -INT $pid; wait $pid`,
  ]);
  expect(code, stderr).toBe(130);
  expect(stdout + stderr).toContain("machine u-int runs as it was before");
  expect(await versionOf("u-int")).toBe("1");
  expect((await host.run(["pgrep", "-fx", "sleep 60"])).stdout).toBe("");
});

longTest("of two setups of one machine one waits, and says for whom; two machines go side by side", async () => {
  // Whoever comes first stays in a step of its script until the other has said that it waits, and another machine is done.
  const holds = 'SH("touch /run/u-two-holds; for i in $(seq 1200); do test -e /run/u-two-go && exit; sleep 0.1; done; exit 1");';
  const script = await write("u-two", image, machine("u-two"), runs, holds);
  const other = await write("u-other", image, machine("u-other"), runs);
  await host.shell("rm -f /run/u-two-*");
  const setups = [1, 2].map((number) => host.run(["sh", "-c", `exec ${script} >/run/u-two-${number} 2>&1`]));
  const said = (): Promise<string> => host.shell("cat /run/u-two-1 /run/u-two-2 2>/dev/null || true");
  await expect.poll(said).toMatch(/waiting: process \d+ \(machine u-two\) works on this machine/);
  await expect.poll(async () => (await host.run(["test", "-e", "/run/u-two-holds"])).code).toBe(0);
  expect(await succeed(host, [other])).not.toContain("waiting");
  expect((await host.run(["systemctl", "is-active", "u-two", "u-other"])).stdout).toBe("inactive\nactive\n");
  await host.shell("touch /run/u-two-go");
  expect((await Promise.all(setups)).map(({ code }) => code)).toEqual([0, 0]);
  expect((await said()).match(/waiting:/g)).toHaveLength(1);
  expect((await said()).match(/machine u-two (is new|is up to date)/g)?.sort()).toEqual([
    "machine u-two is new",
    "machine u-two is up to date",
  ]);
  expect(await host.must(["systemctl", "is-active", "u-two", "u-other"])).toBe("active\nactive\n");
});

describe("rollback", () => {
  test("goes back offline, twice, and to any generation, each with what it had written", async () => {
    await host.shell("mkdir -p /srv/web; cp /srv/fix/rootfs.tar.gz /srv/web/");
    await host.shell("printf 'server { listen 127.0.0.1:8098; root /srv/web; }' > /etc/nginx/conf.d/back.conf; systemctl restart nginx");
    const lines = (value: number): readonly string[] => [
      'IMAGE("http://127.0.0.1:8098/rootfs.tar.gz");',
      machine("u-roll", 'state: "keep"'),
      runs,
      version(value),
    ];
    const path = "/root/s/u-roll.ts";
    for (const value of [1, 2, 3]) {
      await write("u-roll", ...lines(value));
      await succeed(host, [path]);
      expect(await inMachine(host, "u-roll", ["ls", "/root"])).not.toContain("data");
      await inMachine(host, "u-roll", ["sh", "-c", `echo ${value} > /root/data`]);
    }
    expect(await generations("u-roll")).toBe("1 2 3");
    await host.shell("systemctl stop nginx");
    const plan = await succeed(host, [path, "--plan", "--action=rollback"]);
    expect(plan).toMatch(/ what it has written is kept for a rollback +\S+\/runtime\/u-roll\/3$/m);
    expect(plan).toMatch(/ what it had written then is there again +\S+\/runtime\/u-roll\/2$/m);
    for (const part of ["generation 2 of ", "-  --setenv=VERSION=3", "+  --setenv=VERSION=2"]) expect(plan).toContain(part);
    const back = async (value: number, ...options: readonly string[]): Promise<void> => {
      expect(await succeed(host, [path, "--action=rollback", ...options])).toContain("machine u-roll is as it was in generation");
      expect(await versionOf("u-roll")).toBe(String(value));
      expect(await inMachine(host, "u-roll", ["cat", "/root/data"])).toBe(`${value}\n`);
    };
    await back(2);
    await back(1);
    expect(await generations("u-roll")).toBe("3 4 5");
    expect(await failWith(host, 1, [path, "--action=rollback"])).toContain("no generation before 1 to go back to");
    await back(3, "--generation=3");
    expect(await failWith(host, 2, [path, "--generation=3"])).toContain("--action=rollback");
    expect(await failWith(host, 1, [path, "--action=rollback", "--generation=77"])).toContain("has no generation 77");
    await host.shell("systemctl start nginx");
  });

  longTest("of a volatile machine brings back its version, and keeps the layers of its image", async () => {
    await host.shell(
      "mkdir -p /srv/roll; cd $(mktemp -d) && tar xzf /srv/fix/rootfs.tar.gz && echo old > opt/version && tar czf /srv/roll/image.tar.gz .",
    );
    const script = await write("u-vol", 'IMAGE("file:///srv/roll/image.tar.gz");', machine("u-vol"), runs);
    await succeed(host, [script]);
    await inMachine(host, "u-vol", ["touch", "/root/written"]);
    await host.shell("cd $(mktemp -d) && tar xzf /srv/fix/rootfs.tar.gz && echo new > opt/version && tar czf /srv/roll/image.tar.gz .");
    await succeed(host, [script]);
    expect(await inMachine(host, "u-vol", ["cat", "/opt/version"])).toBe("new\n");
    await succeed(host, ["nspawn", "prune"]);
    await succeed(host, [script, "--action=rollback"]);
    expect(await inMachine(host, "u-vol", ["cat", "/opt/version"])).toBe("old\n");
    expect(await inMachine(host, "u-vol", ["ls", "/root"])).not.toContain("written");
    // The layer is taken away by hand: there is no way back to it.
    await succeed(host, [script]);
    const layer = await host.shell("sed -n 's/.*lowerdir=\\([0-9a-f]*\\).*/\\1/p' /var/lib/nspawn/generation/u-vol/3/unit");
    await host.shell(`rm -r /var/lib/nspawn/extract/${layer.trim()}`);
    expect(await failWith(host, 1, [script, "--action=rollback"])).toContain("are not in the store");
    expect(await inMachine(host, "u-vol", ["cat", "/opt/version"])).toBe("new\n");
  });

  longTest("to a version that does not work any more leaves the new one; keep_generations bounds what is kept", async () => {
    const script = await write(
      "u-lost",
      image,
      machine("u-lost", 'probe: { command: "test ! -e /root/no" }'),
      'WITH({ Bind: "/srv/lost:/root" });',
      runs,
    );
    await host.shell("rm -rf /srv/lost; mkdir /srv/lost");
    await succeed(host, [script]);
    await write("u-lost", image, machine("u-lost"), runs, version(2));
    await succeed(host, [script]);
    await host.shell(
      'touch /srv/lost/no; f=/var/lib/nspawn/generation/u-lost/1/generation.json; sed -i \'s/"seconds": 30/"seconds": 0.4/\' $f',
    );
    const output = await failWith(host, 1, [script, "--action=rollback"]);
    expect(output).toContain("does not pass its probe in 0.4 s");
    expect(output).toContain("the machine u-lost runs as it was before");
    expect([await versionOf("u-lost"), await generations("u-lost")]).toEqual(["2", "1 2"]);
    await write("u-lost", image, machine("u-lost"), runs, version(3));
    await succeed(host, [script, "--config", "[machine]keep_generations=0"]);
    expect(await generations("u-lost")).toBe("3");
    expect(await failWith(host, 1, [script, "--action=rollback"])).toContain("no generation before 3 to go back to");
  });
});
