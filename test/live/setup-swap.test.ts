import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { longTest, sample } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, inMachine, leaderOf, setupScript, succeed, traces, writeScript } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  host = await bootMachineHost("nspawn-setup-swap");
});
afterAll(() => host?.stop());
afterEach(async () => {
  await host.shell(
    "for unit in /etc/systemd/system/s-*.service; do [ -e $unit ] || continue; systemctl disable --now -q $(basename $unit) || true; rm -f $unit; done; systemctl daemon-reload",
  );
});

const top = 'IMAGE("file://localhost/srv/fix/top.tar.gz");';
const runs = 'EXEC(["sleep", "600"]);';
const keep = (name: string): string => `MACHINE({ name: "${name}", state: "keep" });`;
const isActive = async (unit: string): Promise<string> => (await host.run(["systemctl", "is-active", unit])).stdout.trim();
const unitOf = (name: string): Promise<string> => host.must(["cat", `/etc/systemd/system/${name}.service`]);

test.each(
  sample([
    ["a command that is not there", 'EXEC(["/no/such/program"]);'],
    ["a command that fails at once", 'EXEC(["sh", "-c", "exit 3"]);'],
    ["a bind that systemd-nspawn refuses", `${runs} WITH({ Bind: "/srv:/proc/version/a" });`],
  ]),
)("an update to %s is taken back: the old machine runs, with what it had written", async (_, lines) => {
  const script = await writeScript(host, "/root/s/keep.ts", setupScript(top, keep("s-keep"), runs));
  await succeed(host, [script]);
  await inMachine(host, "s-keep", ["sh", "-c", "echo precious > /root/data"]);
  const unit = await unitOf("s-keep");
  await writeScript(host, script, setupScript(top, keep("s-keep"), lines));
  const output = await failWith(host, 1, [script]);
  expect(output).toContain("s-keep.service does not start");
  expect(output).toContain("the machine s-keep runs as it was before");
  expect(await inMachine(host, "s-keep", ["cat", "/root/data"])).toBe("precious\n");
  expect(await unitOf("s-keep")).toBe(unit);
  expect(await host.shell("cd /var/lib/nspawn/runtime; ls -A -d s-keep/*")).toBe("s-keep/1\n");
});

test("a first setup that does not start leaves nothing", async () => {
  const script = await writeScript(host, "/root/s/first.ts", setupScript(top, 'MACHINE("s-first");', 'EXEC(["/no/such/program"]);'));
  const before = await traces(host);
  const output = await failWith(host, 1, [script]);
  expect(output).toContain("nothing of it stays");
  expect(output).toContain("/no/such/program");
  expect(await traces(host)).toBe(before);
});

test("a command that ends by itself, and well, is no failure", async () => {
  const script = await writeScript(
    host,
    "/root/s/once.ts",
    setupScript(top, 'MACHINE("s-once");', 'EXEC(["sh", "-c", "echo hello-kitty"]);'),
  );
  expect(await succeed(host, [script])).toContain("its command has ended");
  expect(await host.must(["journalctl", "-u", "s-once", "-o", "cat"])).toMatch(/^hello-kitty$/m);
});

longTest("an interrupt in the middle of a swap puts the old version back, in good order", async () => {
  const machine = 'MACHINE({ name: "s-int", serviceConf: ["ExecStop=/bin/sleep 2"] });';
  const script = await writeScript(host, "/root/s/int.ts", setupScript(top, machine, runs));
  await succeed(host, [script]);
  await writeScript(host, script, setupScript(top, machine, runs, 'WITH({ Environment: { NEW: "1" } });'));
  const { code, stderr } = await host.run([
    "sh",
    "-c",
    `${script} & pid=$!; while ! systemctl is-active -q s-int || [ "$(systemctl show --value -p ActiveState s-int)" != deactivating ]; do sleep 0.05; [ -d /proc/$pid ] || break; [ "$(systemctl show --value -p ActiveState s-int)" = deactivating ] && break; done; kill -INT $pid; wait $pid`,
  ]);
  expect(code).toBe(130);
  expect(stderr).toContain("finishing what must not be cut in two");
  expect(await isActive("s-int.service")).toBe("active");
  expect(await unitOf("s-int")).not.toContain("--setenv=NEW=1");
});

longTest("after a kill in the middle of a swap the next command puts the old version back first", async () => {
  const machine = (stop: number): string => `MACHINE({ name: "s-kill", state: "keep", serviceConf: ["ExecStop=/bin/sleep ${stop}"] });`;
  const script = await writeScript(host, "/root/s/kill.ts", setupScript(top, machine(2), runs));
  await succeed(host, [script]);
  await inMachine(host, "s-kill", ["sh", "-c", "echo precious > /root/data"]);
  await writeScript(host, script, setupScript(top, machine(1), 'EXEC(["/no/such/program"]);'));
  await host.run([
    "sh",
    "-c",
    `${script} & pid=$!; until [ "$(systemctl show --value -p ActiveState s-kill)" = deactivating ]; do sleep 0.05; done; kill -KILL $pid; wait $pid`,
  ]);
  // systemd does its job to the end.
  await host.shell('until [ "$(systemctl show --value -p ActiveState s-kill)" = failed ]; do sleep 0.1; done');
  const output = await succeed(host, [script, "--action=start"]);
  expect(output).toContain("as it was before an update that was cut short");
  expect(await inMachine(host, "s-kill", ["cat", "/root/data"])).toBe("precious\n");
});

longTest("a change of comments alone, as when the script moves, rewrites the unit and restarts nothing", async () => {
  const text = setupScript(top, keep("s-move"), runs);
  await succeed(host, [await writeScript(host, "/root/s/move.ts", text)]);
  const leader = await leaderOf(host, "s-move");
  expect(await succeed(host, [await writeScript(host, "/root/s/moved/move.ts", text)])).toContain("is up to date");
  expect(await leaderOf(host, "s-move")).toBe(leader);
  expect(await unitOf("s-move")).toContain("/root/s/moved/move.ts");
});

longTest("sources of binds are made if they are missing, and left alone if they are there, even where nothing can be written", async () => {
  const binds = '{ BindReadOnly: ["/sys/class:/x"], Bind: ["/srv/made/folder/:/y", "/srv/made/file:/z"] }';
  await succeed(host, [await writeScript(host, "/root/s/bind.ts", setupScript(top, 'MACHINE("s-bind");', runs, `WITH(${binds});`))]);
  expect(await inMachine(host, "s-bind", ["ls", "/x"])).toContain("net");
  expect(await host.must(["stat", "-c", "%F", "/srv/made/folder", "/srv/made/file"])).toBe("directory\nregular empty file\n");
});

longTest("a folder of machines that is not ours is neither used nor removed", async () => {
  await host.shell("mkdir -p /var/lib/machines/s-foreign; echo mine > /var/lib/machines/s-foreign/file");
  const script = await writeScript(host, "/root/s/foreign.ts", setupScript(top, 'MACHINE("s-foreign");', runs));
  for (const action of ["update", "create", "desure"]) {
    expect(await failWith(host, 1, [script, `--action=${action}`])).toContain("/var/lib/machines/s-foreign, which is not empty");
  }
  expect(await host.must(["cat", "/var/lib/machines/s-foreign/file"])).toBe("mine\n");
  await host.must(["rm", "-r", "/var/lib/machines/s-foreign"]);
});

test("a step on the host that leaves a program behind does not wait for it", async () => {
  const script = await writeScript(
    host,
    "/root/s/behind.ts",
    setupScript(top, 'MACHINE("s-behind");', 'SH("echo before; sleep 30 & echo after");'),
  );
  const began = Date.now();
  const output = await succeed(host, [script, "--action=command"]);
  expect(output).toContain("before");
  expect(output).toContain("after");
  expect(Date.now() - began).toBeLessThan(10_000);
});

longTest("EXEC beside an inherited Boot is refused, and Boot: null makes it the command", async () => {
  const image = 'IMAGE("file:///srv/boot/image.tar.gz");';
  await host.shell(
    "mkdir -p /srv/boot; cd $(mktemp -d); printf 'image_url: file:///srv/boot/image.tar.gz\\noverlay_url_list: [file:///srv/fix/rootfs.tar.gz]\\nprofile_command: null\\nprofile_entry_list: [Boot=true]\\n' > nspawn-image.yaml; tar czf /srv/boot/image.tar.gz ./nspawn-image.yaml",
  );
  const script = await writeScript(host, "/root/s/boot.ts", setupScript(image, 'MACHINE("s-boot");', runs));
  expect(await failWith(host, 1, [script])).toContain("would become arguments of init: file:///srv/boot/image.tar.gz sets Boot");
  await writeScript(host, script, setupScript(image, 'MACHINE("s-boot");', runs, "WITH({ Boot: null });"));
  await succeed(host, [script]);
  expect(await inMachine(host, "s-boot", ["cat", "/proc/1/cmdline"])).toBe(["sleep", "600", ""].join("\0"));
});

longTest("an old version that cannot start any more, after a kill in a swap, is told once and blocks nothing", async () => {
  const script = await writeScript(host, "/root/s/stuck.ts", setupScript(top, 'MACHINE("s-stuck");', runs));
  await succeed(host, [script]);
  // What a killed swap leaves: a generation on trial whose unit is not in its place any more; the old one's command is gone by now.
  await host.shell(
    [
      "cd /var/lib/nspawn/generation/s-stuck; cp -r 1 2",
      "sed -i 's,^ExecStart=.*,ExecStart=/bin/false \\\\,' 1/unit",
      'echo \'{ "from": 1, "ran": true, "invocation": "" }\' > 2/trial.json',
      "systemctl stop s-stuck",
    ].join("\n"),
  );
  expect(await failWith(host, 1, [script, "--action=stop"])).toContain("s-stuck.service does not start");
  expect(await succeed(host, [script, "--action=desure"])).toContain("is removed");
  expect(await host.shell("ls -A /var/lib/nspawn/runtime")).not.toContain("s-stuck");
});
