import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { longTest } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { hostState } from "./support/host-state.ts";
import { bootMachineHost, failWith, inMachine, setupScript, succeed, writeScript } from "./support/machine.ts";

/** Machines of all kinds, seen from outside, in one host with a network of its own. */
let host: DisposableHost;

const busybox = 'IMAGE("file://localhost/srv/fix/rootfs.tar.gz");';
const sleeps = 'EXEC(["sleep", "600"]);';

beforeAll(async () => {
  host = await bootMachineHost("nspawn-kinds", { networkVeth: true });
});
afterAll(() => host?.stop());

async function setUp(name: string, ...lines: readonly string[]): Promise<string> {
  const machine = lines.some((line) => line.startsWith("MACHINE(")) ? [] : [`MACHINE("${name}");`];
  return succeed(host, [await writeScript(host, `/root/s/${name}.ts`, setupScript(...machine, ...lines))]);
}

async function desure(...names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => succeed(host, [`/root/s/${name}.ts`, "--action=desure"])));
}

const show = async (name: string, property: string): Promise<string> =>
  (await host.must(["systemctl", "show", "--value", `--property=${property}`, `${name}.service`])).trim();
const journal = (name: string): Promise<string> => host.must(["journalctl", "-u", name, "-o", "cat"]);
const group = (name: string, file: string): Promise<string> => host.must(["cat", `/sys/fs/cgroup/machine.slice/${name}.service/${file}`]);

test("a machine with systemd inside boots, is ready when its systemd is, and shuts itself down", async () => {
  const without = ["./srv", "./root", "./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/perl", "./usr/share/perl5"];
  const also = [
    "./usr/share/zoneinfo",
    "./usr/lib/x86_64-linux-gnu/perl*",
    "./var/lib/apt",
    "./var/lib/dpkg",
    "./var/cache",
    "./etc/machine-id",
    "./etc/hostname",
  ];
  const excludes = [...without, ...also].map((path) => `--exclude='${path}'`).join(" ");
  await host.shell(`tar --one-file-system ${excludes} -C / -c . | zstd -q -1 -T0 > /srv/debian.tar.zst`);
  await setUp("k-systemd", 'IMAGE("file:///srv/debian.tar.zst");', 'WITH({ Boot: true, NotifyReady: true, Hostname: "inner" });');
  expect(await inMachine(host, "k-systemd", ["systemctl", "is-system-running"])).toBe("running\n");
  expect(await inMachine(host, "k-systemd", ["hostname"])).toBe("inner\n");
  expect(await host.must(["machinectl", "list", "--no-legend"])).toMatch(/^k-systemd\s+container\s+systemd-nspawn\s+debian/m);
  const groups = await host.must(["systemd-cgls", "--no-pager", "--unit", "k-systemd.service"]);
  for (const part of ["supervisor", "payload", "init.scope", "systemd-journald.service"]) expect(groups).toContain(part);
  await succeed(host, ["/root/s/k-systemd.ts", "--action=stop"]);
  expect(await journal("k-systemd")).toContain("Reached target shutdown.target");
});

test("BusyBox init is told to halt by the signal of KillSignal, and does what it has to do before", async () => {
  await host.shell(
    [
      "mkdir -p /srv/init; cd $(mktemp -d); mkdir -p etc usr/bin; ln -s busybox usr/bin/init",
      "printf '::sysinit:/bin/touch /data/up\\n::respawn:/bin/sleep 600\\n::shutdown:/bin/touch /data/down\\n' > etc/inittab",
      "printf 'image_url: file:///srv/init/i.tar.gz\\noverlay_url_list: [file://localhost/srv/fix/rootfs.tar.gz]\\nprofile_command: null\\nprofile_entry_list: [Boot=true]\\n' > nspawn-image.yaml",
      "tar czf /srv/init/i.tar.gz .",
    ].join("\n"),
  );
  await setUp("k-init", 'IMAGE("file:///srv/init/i.tar.gz");', 'WITH({ KillSignal: "SIGUSR1", Bind: ["/srv/init-data/:/data"] });');
  await expect.poll(() => host.must(["ls", "/srv/init-data"])).toBe("up\n");
  expect(await inMachine(host, "k-init", ["cat", "/proc/1/comm"])).toBe("init\n");
  const began = Date.now();
  await succeed(host, ["/root/s/k-init.ts", "--action=stop"]);
  expect(Date.now() - began).toBeLessThan(8000);
  expect(await host.must(["ls", "/srv/init-data"])).toBe("down\nup\n");
});

test("a bare command gets the signal of KillSignal, and its end is the machine's", async () => {
  const script = "trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.1; done";
  await setUp("k-bare", busybox, `EXEC(["sh", "-c", ${JSON.stringify(script)}]);`, 'WITH({ KillSignal: "SIGTERM" });');
  await succeed(host, ["/root/s/k-bare.ts", "--action=stop"]);
  expect(await journal("k-bare")).toMatch(/^up$[\s\S]*^told$/m);
  expect(await show("k-bare", "Result")).toBe("success");
});

test("networks: none, a link to the host, a zone, a bridge, MACVLAN", async () => {
  await host.shell(
    [
      "ip link add parent0 type veth peer name parent1; ip link set parent0 up; ip link add br0 type bridge; ip link set br0 up",
      "ip addr add 10.77.1.1/24 dev br0",
    ].join("\n"),
  );
  const links = (await hostState(host)).filter((line) => line.startsWith("link "));
  const machines: Readonly<Record<string, string>> = {
    "k-none": "Private: true",
    "k-veth": "VirtualEthernet: true",
    "k-zone-a": 'Zone: "kin"',
    "k-zone-b": 'Zone: "kin"',
    "k-bridge": 'Bridge: "br0"',
    "k-macvlan": 'MACVLAN: "parent0"',
  };
  await Promise.all(Object.entries(machines).map(([name, network]) => setUp(name, busybox, sleeps, `WITH({ ${network} });`)));
  const inside = async (name: string): Promise<readonly string[]> =>
    (await inMachine(host, name, ["ls", "/sys/class/net"]))
      .trim()
      .split(/\s+/)
      .filter((link) => !link.startsWith("ifb"));
  expect(await inside("k-none")).toEqual(["lo"]);
  for (const name of ["k-veth", "k-zone-a", "k-zone-b", "k-bridge"]) expect(await inside(name)).toEqual(["host0", "lo"]);
  expect(await inside("k-macvlan")).toEqual(["lo", "mv-parent0"]);
  const outside = JSON.parse(await host.must(["ip", "-json", "link"])) as readonly { readonly ifname: string; readonly master?: string }[];
  const masterOf = (name: string): string | undefined => outside.find(({ ifname }) => ifname === name)?.master;
  expect(outside.map(({ ifname }) => ifname)).toContain("ve-k-veth");
  expect([masterOf("vb-k-zone-a"), masterOf("vb-k-zone-b"), masterOf("vb-k-bridge")]).toEqual(["vz-kin", "vz-kin", "br0"]);
  // Packets go through: to the host by the link and the bridge, to each other in the zone.
  await host.shell("ip addr add 10.77.2.1/24 dev ve-k-veth; ip link set ve-k-veth up; ip link set vb-k-bridge up");
  await host.shell("ip link set vz-kin up; ip link set vb-k-zone-a up; ip link set vb-k-zone-b up");
  const addresses = { "k-veth": "10.77.2.2", "k-zone-a": "10.77.3.1", "k-zone-b": "10.77.3.2", "k-bridge": "10.77.1.2" };
  for (const [name, address] of Object.entries(addresses)) {
    await inMachine(host, name, ["sh", "-c", `ip addr add ${address}/24 dev host0; ip link set host0 up`]);
  }
  await inMachine(host, "k-veth", ["ping", "-c1", "-W5", "10.77.2.1"]);
  await inMachine(host, "k-bridge", ["ping", "-c1", "-W5", "10.77.1.1"]);
  await inMachine(host, "k-zone-a", ["ping", "-c1", "-W5", "10.77.3.2"]);

  // A crash leaves a zone's bridge to the others, and takes it along where there are none.
  const crash = async (name: string): Promise<void> => {
    await host.shell(`kill -KILL ${await show(name, "MainPID")}`);
    await expect.poll(() => show(name, "ActiveState")).toBe("failed");
  };
  const bridges = (): Promise<string> => host.shell("ls /sys/class/net | grep vz- || true");
  await crash("k-zone-a");
  expect(await bridges()).toBe("vz-kin\n");
  await crash("k-zone-b");
  expect(await bridges()).toBe("");
  await host.must(["systemctl", "stop", ...Object.keys(machines)]);
  expect((await hostState(host)).filter((line) => line.startsWith("link "))).toEqual(links);
  await host.shell("ip link del parent0; ip link del br0");
});

test("Bind, BindReadOnly, Overlay and TemporaryFileSystem; missing sources are made, and stay", async () => {
  const files = {
    Bind: ["/srv/k/folder/:/b", "/srv/k/file:/f"],
    BindReadOnly: "/srv/k/only/:/r",
    Overlay: "/srv/k/lower:/srv/k/upper:/o",
    TemporaryFileSystem: "/t:size=1M,mode=711",
  };
  await setUp("k-files", busybox, sleeps, `WITH(${JSON.stringify(files)});`);
  await host.shell("echo below > /srv/k/lower/a");
  const write = "echo b > /b/x; echo f > /f; echo r > /r/x || echo refused; echo o > /o/x; cat /o/a; stat -c %a /t; df -k /t | tail -n1";
  const seen = await inMachine(host, "k-files", ["sh", "-c", `exec 2>&1; ${write}`]);
  expect(seen).toContain("Read-only file system\nrefused\n");
  expect(seen).toMatch(/below\n711\ntmpfs +1024 /);
  expect(await host.must(["cat", "/srv/k/folder/x", "/srv/k/file", "/srv/k/upper/x"])).toBe("b\nf\no\n");
  await desure("k-files");
  expect(await host.must(["cat", "/srv/k/folder/x", "/srv/k/file", "/srv/k/upper/x"])).toBe("b\nf\no\n");
});

test("a device that Bind names can be used, no other, and no disk of the host", async () => {
  await host.shell("mknod /dev/k-named b 7 0; mkdir -p /dev/k; mknod /dev/k/other b 7 1");
  // What is no device of the kernel's ends with another error.
  const opens = (path: string): string => `{ dd if=${path} of=/dev/null count=0 2>&1 | grep -q 'not permitted'; }`;
  const tries = [
    `${opens("/dev/k-named")} || echo named`,
    `! ${opens("/dev/k/other")} || echo not by its folder`,
    "mknod /dev/disk b 7 2 2>/dev/null || echo no disk",
    "exec sleep 600",
  ].join("; ");
  const bind = '{ Bind: ["/dev/k-named", "/dev/k/:/dev/k"] }';
  const said = await setUp("k-device", busybox, `EXEC(["sh", "-c", ${JSON.stringify(tries)}]);`, `WITH(${bind});`);
  expect(said).toContain("the machine sees the devices in /dev/k, and may not use them");
  const lines = (await journal("k-device")).split("\n");
  for (const line of ["named", "not by its folder", "no disk"]) expect(lines).toContain(line);
  // What is not there is not made: the driver may come later.
  await writeScript(
    host,
    "/root/s/k-none-such.ts",
    setupScript(busybox, 'MACHINE("k-none-such");', sleeps, 'WITH({ Bind: "/dev/none-such" });'),
  );
  expect(await failWith(host, 1, ["/root/s/k-none-such.ts"])).toMatch(/\/dev\/none-such: No such file or directory/);
  expect((await host.run(["ls", "/dev/none-such"])).code).not.toBe(0);
  await host.shell("rm -r /dev/k-named /dev/k");
});

test("limits of serviceConf hold for the machine: the one that is reached kills a process, not the machine", async ({ skip }) => {
  const greedy = "dd if=/dev/zero of=/dev/null bs=200M count=1; echo dd ended with $?; exec sleep 600";
  const machine = 'MACHINE({ name: "k-limit", serviceConf: ["CPUQuota=50%", "MemoryMax=64M", "MemorySwapMax=0"] });';
  await setUp("k-limit", busybox, machine, `EXEC(["sh", "-c", ${JSON.stringify(greedy)}]);`);
  expect(await show("k-limit", "MemoryMax")).toBe(String(64 << 20));
  expect(await show("k-limit", "CPUQuotaPerSecUSec")).toBe("500ms");
  const controllers = (await host.must(["cat", "/sys/fs/cgroup/cgroup.controllers"])).trim().split(" ");
  if (controllers.includes("memory") && controllers.includes("cpu")) {
    await expect.poll(() => journal("k-limit")).toMatch(/^dd ended with 137$/m);
    expect(await group("k-limit", "cpu.max")).toBe("50000 100000\n");
    expect(await group("k-limit", "memory.max")).toBe(`${64 << 20}\n`);
    expect(await group("k-limit", "memory.events")).toMatch(/^oom_kill [1-9]/m);
  }
  expect(await show("k-limit", "ActiveState")).toBe("active");
  skip(!controllers.includes("memory"), "the kernel's side of limits: this machine has its controllers in cgroup v1, so the host has none");
});

longTest("lines of unitConf, serviceConf and installConf override those of the unit", async () => {
  const conf = [
    'unitConf: ["Description=Another", "After=dbus.service"]',
    'serviceConf: ["Restart=always", "RestartSec=0", "TasksMax=99", "WatchdogSec=3s"]',
    'installConf: ["WantedBy=", "WantedBy=multi-user.target"]',
  ];
  await setUp("k-conf", busybox, sleeps, `MACHINE({ name: "k-conf", ${conf.join(", ")} });`);
  expect(await show("k-conf", "Description")).toBe("Another");
  expect(await show("k-conf", "TasksMax")).toBe("99");
  expect(await show("k-conf", "After")).toContain("dbus.service");
  expect(await host.shell("ls /etc/systemd/system/*.wants/k-conf.service")).toBe(
    "/etc/systemd/system/multi-user.target.wants/k-conf.service\n",
  );
  // An update moves the links along, also back.
  for (const [lines, links] of [
    ["", "machines.target"],
    ['installConf: ["WantedBy=multi-user.target", "Alias=k-alias.service"]', "machines.target multi-user.target"],
  ] as const) {
    await setUp("k-install", busybox, sleeps, `MACHINE({ name: "k-install", installConf: ["WantedBy=", "WantedBy=multi-user.target"] });`);
    await setUp("k-install", busybox, sleeps, `MACHINE({ name: "k-install", ${lines} });`);
    const there = "cd /etc/systemd/system; ls -d *.wants/k-install.service k-alias.service 2>/dev/null | tr '\\n' ' ' || true";
    const alias = lines === "" ? "" : "k-alias.service ";
    const wanted = links.split(" ").map((target) => `${target}.wants/k-install.service `);
    expect(await host.shell(there)).toBe(`${alias}${wanted.join("")}`);
  }
  await failWith(host, 1, [
    await writeScript(
      host,
      "/root/s/k-install.ts",
      setupScript(
        busybox,
        'EXEC(["sh", "-c", "exit 3"]);',
        'MACHINE({ name: "k-install", installConf: ["WantedBy=", "WantedBy=basic.target"] });',
      ),
    ),
  ]);
  expect(await host.shell("ls -d /etc/systemd/system/*/k-install.service | cut -d/ -f5 | tr '\\n' ' '")).toBe(
    "machines.target.wants multi-user.target.wants ",
  );
  const never = 'MACHINE({ name: "k-install", installConf: ["WantedBy="] });';
  for (const told of ["is updated", "is up to date"]) {
    const said = await setUp("k-install", busybox, sleeps, never);
    expect(said).toContain(`machine k-install ${told}`);
    expect(said).not.toContain("starts with the host");
  }
  expect(await failWith(host, 1, ["/root/s/k-install.ts", "--action=enable"])).toContain("has no [Install] that says when");
  await desure("k-install");
  expect(
    await host.shell("ls -d /etc/systemd/system/*.wants/k-install.service /etc/systemd/system/k-alias.service 2>/dev/null || true"),
  ).toBe("");
  // A systemd-nspawn that hangs is ended by the watchdog, and started again.
  const main = await show("k-conf", "MainPID");
  await host.shell(`kill -STOP ${main}`);
  await expect.poll(() => show("k-conf", "MainPID"), { timeout: 20_000 }).not.toMatch(new RegExp(`^(0|${main})$`));
  await expect.poll(() => show("k-conf", "ActiveState")).toBe("active");
  expect(await journal("k-conf")).toContain("Watchdog timeout");
});

test("what is written in an Ephemeral machine is gone, nothing can be written in a ReadOnly one, and keep with Ephemeral is refused", async () => {
  await Promise.all([
    setUp("k-ephemeral", busybox, sleeps, "WITH({ Ephemeral: true });"),
    setUp("k-read-only", busybox, sleeps, "WITH({ ReadOnly: true });"),
  ]);
  await inMachine(host, "k-ephemeral", ["touch", "/root/written"]);
  await host.must(["systemctl", "restart", "k-ephemeral"]);
  expect(await inMachine(host, "k-ephemeral", ["ls", "/root"])).toBe("");
  expect(await inMachine(host, "k-read-only", ["sh", "-c", "touch /root/x 2>&1 || true"])).toContain("Read-only file system");
  const kept = setupScript(busybox, 'MACHINE({ name: "k-both", state: "keep" });', sleeps, "WITH({ Ephemeral: true });");
  expect(await failWith(host, 2, [await writeScript(host, "/root/s/k-both.ts", kept)])).toMatch(/state "keep" .* exclude each other/);
});

longTest(
  "the template of the documentation makes a machine; one without [Install] makes one that does not start with the host",
  async () => {
    const docs = readFileSync(new URL("../../docs/unit.md", import.meta.url), "utf8");
    const template = /```\n(\[Unit\]\n[\s\S]*?)```/.exec(docs)?.[1] ?? "";
    await writeScript(host, "/root/s/documented.service", template);
    const machine = 'MACHINE({ name: "k-documented", template: "documented.service", serviceConf: ["TasksMax=77"] });';
    const network = 'WITH({ VirtualEthernet: true, Environment: { WHO: "it\'s 100%" } });';
    expect(await setUp("k-documented", busybox, sleeps, machine, network)).toContain("starts with the host");
    expect(await show("k-documented", "TasksMax")).toBe("77");
    const environment = await host.must(["nspawn-enter", "k-documented", "tr '\\0' '\\n' < /proc/1/environ"]);
    expect(environment.split("\n")).toContain("WHO=it's 100%");
    await writeScript(host, "/root/s/documented.service", template.replace(/\[Install\][\s\S]*/, ""));
    for (const [round, told] of ["is updated", "is up to date"].entries()) {
      const said = await setUp("k-documented", busybox, sleeps, machine, network);
      expect(said, `${round}`).toContain(`machine k-documented ${told}`);
      expect(said, `${round}`).not.toContain("machine k-documented starts with the host");
    }
    expect((await host.run(["systemctl", "is-enabled", "k-documented"])).stdout).toBe("static\n");
    expect(await failWith(host, 1, ["/root/s/k-documented.ts", "--action=enable"])).toContain("its unit has no [Install]");
    await desure("k-documented");
  },
);

test("a template of one's own that forgets what a machine needs is told what, before anything is done", async () => {
  await writeScript(host, "/root/s/own.service", "[Service]\nExecStart=/bin/true\n");
  const text = setupScript(busybox, 'MACHINE({ name: "k-own", template: "own.service" });', sleeps);
  const said = await failWith(host, 2, [await writeScript(host, "/root/s/k-own.ts", text)]);
  for (const part of [
    "k-own.ts:4",
    "ExecStart={{ nspawn | join(' ') }}",
    "nothing mounts the root",
    "nothing unmounts the root",
    "layer.id",
  ])
    expect(said).toContain(part);
});

longTest("after desure the host is as it was before, whatever became of the machines", async () => {
  const before = await hostState(host);
  const network = 'WITH({ VirtualEthernet: true, VirtualEthernetExtra: "k-extra:inner", Bind: "/srv/k/folder/:/b", Register: true });';
  await Promise.all([
    setUp("k-update", busybox, network, 'EXEC(["sleep", "601"]);'),
    setUp("k-dead", busybox, network.replace("VirtualEthernet: true", 'Zone: "dead"').replace("k-extra", "k-dead"), sleeps),
    // Half there: its root and its layer are gone.
    setUp("k-half", busybox, sleeps),
  ]);
  await setUp("k-update", busybox, network, sleeps);
  await host.shell(`kill -KILL ${await show("k-dead", "MainPID")}`);
  await expect.poll(() => show("k-dead", "ActiveState")).toBe("failed");
  await host.shell("systemctl stop k-half; rm -rf /var/lib/machines/k-half /var/lib/nspawn/runtime/k-half");
  const never = setupScript(busybox, 'MACHINE("k-never");', 'EXEC(["/no/such"]);');
  await failWith(host, 1, [await writeScript(host, "/root/s/k-never.ts", never)]);
  await desure("k-update", "k-dead", "k-half", "k-never");
  const after = await hostState(host);
  expect(after.filter((line) => !before.includes(line))).toEqual([]);
  expect(before.filter((line) => !after.includes(line))).toEqual([]);
});
