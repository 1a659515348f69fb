import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sample } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, setupScript, succeed, writeScript } from "./support/machine.ts";
import { atTerminal } from "./support/terminal.ts";

let host: DisposableHost;

/** A machine of each kind: who runs it, and what runs in it. */
const machines = {
  "e-ours": "a unit of ours, a bare command",
  "e-systemd": "a unit of somebody else's, registered, systemd",
  "e-hand": "started by hand, in a scope of its own, not registered, BusyBox init",
  "e-users": "a user namespace of its own, a bare command",
  "e-template": "systemd-nspawn@.service, BusyBox init",
};
const names = Object.keys(machines);

beforeAll(async () => {
  host = await bootMachineHost("nspawn-enter");
  const setup = setupScript('IMAGE("file:///srv/fix/rootfs.tar.gz");', 'MACHINE("e-ours");', 'EXEC(["sleep", "6000"]);');
  await succeed(host, [await writeScript(host, "/root/s/ours.ts", setup)]);
  const nspawn = "systemd-nspawn --settings=no --quiet";
  const run = "systemd-run --quiet --collect --slice=machine.slice --property=Delegate=yes --property=KillMode=mixed";
  await host.shell(
    [
      "cd /var/lib/machines; for name in e-hand e-users e-template; do mkdir $name; tar xzf /srv/fix/rootfs.tar.gz -C $name; done",
      "ln -sf /bin/busybox e-template/sbin/init; printf '::sysinit:/bin/true\\n' | tee e-hand/etc/inittab > e-template/etc/inittab",
      "mkdir -p e-noshell/usr e-noshell/etc; cp e-hand/bin/busybox e-noshell/sleep; mkdir e-stopped; mkdir e-tricky; cp -a e-hand/. e-tricky",
      `${run} --unit=other --service-type=notify ${nspawn} --machine=e-systemd --directory=/ --volatile=yes --keep-unit --boot --notify-ready=yes systemd.firstboot=no systemd.unit=basic.target`,
      `${run} --unit=users ${nspawn} --machine=e-users -D /var/lib/machines/e-users --keep-unit --register=no --private-users=pick --private-users-ownership=chown sleep 6000`,
      `${run} --unit=noshell ${nspawn} -M e-noshell -D /var/lib/machines/e-noshell --keep-unit --register=no /sleep 6000`,
      `${run} --unit=tricky ${nspawn} -M e-tricky -D /var/lib/machines/e-tricky --keep-unit --register=no sleep 6000`,
      `systemd-run --quiet --collect --unit=hand ${nspawn} -qM e-hand -D /var/lib/machines/e-hand --register=no /bin/busybox init`,
      "systemctl start systemd-nspawn@e-template",
      "for try in $(seq 30); do nspawn-enter e-hand true && nspawn-enter e-users true && nspawn-enter e-noshell -- /sleep 0 && break; sleep 0.1; done",
    ].join("\n"),
    { cwd: "/var/lib/machines" },
  );
});
afterAll(async () => {
  // BusyBox does not know the signals by which systemd asks for a shutdown.
  await host?.run(["sh", "-c", "systemctl kill --signal=KILL 'machine-*.scope' systemd-nspawn@e-template users noshell tricky hand"]);
  await host?.stop();
});

test.each(names)(
  "%s: a command runs as its root, in all of its namespaces, with its limits, and without anything of the host",
  async (name) => {
    const inside =
      "id -u; hostname; cat /proc/1/comm; echo $(ls /proc/self/fd); readlink /proc/self/ns/* /proc/1/ns/*; cat /proc/self/cgroup /proc/1/cgroup; grep CapBnd /proc/self/status /proc/1/status; env";
    const lines = (await host.must(["nspawn-enter", name, inside], { env: { SECRET: "x" } })).trimEnd().split("\n");
    const [user, hostname, , files, ...rest] = lines;
    expect([user, hostname, files]).toEqual(["0", name, "0 1 2 3"]);
    const links = rest.filter((line) => /^\w+:\[\d+\]$/.test(line)).sort();
    expect(links.filter((_, index) => index % 2 === 0)).toEqual(links.filter((_, index) => index % 2 === 1));
    const groups = rest.filter((line) => /^0::/.test(line));
    expect(groups[0]).toBe(groups[1]);
    const [own, first] = rest.flatMap((line) => /CapBnd:\s*(\w+)$/.exec(line)?.[1] ?? []);
    expect(own).toBe(first);
    const variables = rest
      .flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? [])
      .filter((variable) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(variable));
    expect(variables.sort()).toEqual(
      ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "USER"].filter((variable) => variables.includes(variable)),
    );
    expect(rest).toContain("LANG=C.UTF-8");
  },
);

test.each(sample(names))("%s: a terminal is one of the machine's own, with size, Ctrl-C and job control", async (name) => {
  const { screen, code } = await atTerminal(
    host,
    ["nspawn-enter", name],
    [
      { type: "PS1=; stty -echo; echo read'y'\n" },
      { expect: "ready" },
      { type: "tty; [ -c $(tty) ] && echo >$(tty) wri'tt'en; stty size\n" },
      { expect: "/dev/pts/" },
      { expect: "written" },
      { expect: "33 99" },
      { size: [44, 111] },
      { type: "sleep 0.2; stty size\n" },
      { expect: "44 111" },
      { type: "sh -c 'echo fir\"\"st; exec sleep 600'\n" },
      { expect: "first" },
      { type: "\u0003" },
      { type: "echo code=$?\n" },
      { expect: "code=130" },
      { type: "sh -c 'echo sec\"\"ond; exec sleep 601'\n" },
      { expect: "second" },
      { type: "\u001a" },
      { type: "jobs\n" },
      { expect: "topped" },
      { type: "kill -KILL %1; sleep 0.2; true\n" },
      { type: "exit 9\n" },
    ],
  );
  expect({ screen, code }).toEqual({ screen, code: 9 });
});

describe("the command", () => {
  test("is a line for sh if it is one word, else a program with its arguments as they are", async () => {
    expect(await host.must(["nspawn-enter", "e-ours", "echo $0 | tr a-z A-Z"])).toBe("/BIN/SH\n");
    expect(await host.must(["nspawn-enter", "e-ours", "printf", "%s|", "a b", "$HOME", "--help", "'"])).toBe("a b|$HOME|--help|'|");
    expect(await host.must(["nspawn-enter", "e-ours", "--", "pwd"])).toBe("/\n");
    expect(await host.must(["nspawn-enter", "e-ours"], { input: "echo from stdin" })).toBe("from stdin\n");
  });

  test("gives its exit code, also for signals and for programs that are not there", async () => {
    for (const [line, code] of [
      ["exit 7", 7],
      ["kill -TERM $$", 143],
      ["kill -KILL $$", 137],
    ] as const) {
      expect((await host.run(["nspawn-enter", "e-ours", line])).code).toBe(code);
      expect((await atTerminal(host, ["nspawn-enter", "e-ours", line], [])).code).toBe(code);
    }
    expect(await failWith(host, 127, ["nspawn-enter", "e-ours", "--", "/no/program"])).toContain("/no/program: No such file");
    expect(await failWith(host, 126, ["nspawn-enter", "e-ours", "--", "/etc"])).toContain("/etc: Permission denied");
  });

  test("has three streams, byte by byte, whatever ours are", async () => {
    const script = [
      "cd $(mktemp -d); head -c 10000000 /dev/urandom > in; sum=$(sha256sum < in)",
      'is() { [ "$(sha256sum)" = "$sum" ] || { echo "$1 differs"; exit 1; }; }',
      "cat in | nspawn-enter e-users cat | is pipes",
      "nspawn-enter e-users cat < in > out; is files < out",
      "nspawn-enter e-users 'cat >&2' < in 2> err > out; is errors < err; [ ! -s out ]",
      "nspawn-enter e-users 'cat /dev/stdin > /dev/stderr' < in 2> err; is devices < err",
      "[ $(nspawn-enter e-ours 'yes' | head -n 2 | wc -l) = 2 ]",
      "[ -z \"$(nspawn-enter e-ours 'cat' < /dev/null)\" ]",
      "timeout 5 nspawn-enter e-ours 'sleep 600 & echo left' > out 2> err; grep -q left out",
      "timeout 5 nspawn-enter e-ours 'yes & echo left' > out 2> err",
      "nspawn-enter e-ours 'echo out; echo err >&2; echo out' > both 2>&1; [ \"$(tr '\\n' ' ' < both)\" = 'out err out ' ]",
      "mkdir full; mount -t tmpfs -o size=68k none full; code=0; nspawn-enter e-ours 'head -c 70000 /dev/zero' > full/out 2> err || code=$?",
      "umount full; [ $code = 1 ]; grep -q 'standard output cannot be written to: ENOSPC' err",
      "ls -d /tmp/nspawn-enter-* 2>/dev/null || echo nothing is left",
    ];
    expect(await host.shell(script.join("\n"))).toBe("nothing is left\n");
  });

  test("catches Ctrl-C itself where it wants to, and can be on a terminal with its output in a pipe", async () => {
    const line = "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.1 & wait $!; done";
    const acts = [{ expect: "ready" }, { type: "\u0003" }, { expect: "caught" }];
    expect((await atTerminal(host, ["nspawn-enter", "e-ours", line], acts)).code).toBe(6);
    const { screen } = await atTerminal(host, ["sh", "-c", "echo in | nspawn-enter e-ours 'cat; tty; test -t 1 || echo no terminal'"], []);
    expect(screen).toBe("in\r\nnot a tty\r\nno terminal\r\n");
  });

  test.each([
    ["TERM", 5],
    ["INT", 5],
    ["HUP", 5],
    ["KILL", 137],
  ])("gets SIG%s, and nothing stays behind", async (signal, code) => {
    const line = "trap 'exit 5' TERM INT HUP; echo ready; while :; do sleep 0.1 & wait $!; done";
    const script = [
      `nspawn-enter e-ours "$1" > $2 & pid=$!; until grep -q ready $2; do sleep 0.02; done`,
      `kill -${signal} $pid; code=0; wait $pid || code=$?; sleep 0.3; echo $code; ps -eo args | grep -c "^/bin/sh -c trap .exit 5" || true`,
    ];
    expect(await host.must(["bash", "-c", script.join("\n"), "bash", line, `/tmp/ready-${signal}`])).toBe(`${code}\n0\n`);
  });
});

test("a signal that comes while the command is still on its way is not lost", async () => {
  const script =
    'for delay in 70 85 100 115 130 145 160; do timeout --kill-after=2 0.$(printf %03d $delay) nspawn-enter e-ours "sleep 3"; echo $?; done';
  expect(new Set((await host.must(["bash", "-c", script])).trim().split("\n"))).toEqual(new Set(["124"]));
});

test("a terminal that is hung up takes the command with it, and no core dump is left", async () => {
  const driver = `
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"ready" not in seen:
    seen += os.read(terminal, 1024)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
os.system("sleep 0.3; ps -eo args | grep -c '^sleep 6[0]02'")`;
  expect(await host.must(["python3", "-c", driver, "nspawn-enter", "e-ours", "echo ready; exec sleep 6002"])).toBe("-1\n0\n");
});

test("a machine that is frozen is not entered, where the command would wait until it is thawed", async () => {
  await host.must(["systemctl", "freeze", "users"]);
  expect(await failWith(host, 1, ["nspawn-enter", "e-users", "true"])).toContain("e-users is frozen\n  hint: systemctl thaw users.service");
  await host.must(["systemctl", "thaw", "users"]);
  await host.must(["nspawn-enter", "e-users", "true"]);
});

test("a command that is too long for a terminal is told so", async () => {
  const script = 'exec nspawn-enter e-ours -- echo $(head -c 70000 /dev/zero | tr "\\0" x) $(head -c 70000 /dev/zero | tr "\\0" x)';
  const { screen, code } = await atTerminal(host, ["sh", "-c", script], []);
  expect({ screen, code }).toEqual({ screen: expect.stringContaining("the command is too long for a terminal"), code: 1 });
});

test("a machine's /dev/pts that leads elsewhere is not followed: the terminal has no name there then", async () => {
  await host.must([
    "nspawn-enter",
    "e-tricky",
    "umount -l /dev/pts && rmdir /dev/pts && ln -s /proc/1/root/dev/pts /dev/pts && rm /dev/ptmx && ln -s /etc/passwd /dev/ptmx",
  ]);
  const { screen, code } = await atTerminal(host, ["nspawn-enter", "e-tricky", "tty; test -t 0 && echo terminal"], []);
  expect({ screen, code }).toEqual({ screen: "not a tty\r\nterminal\r\n", code: 0 });
});

test("what cannot be entered is told in words that help", async () => {
  const words: readonly (readonly [number, readonly string[], string])[] = [
    [1, ["e-stopped"], "the machine e-stopped is not running"],
    [1, ["e-stopped"], "machinectl start e-stopped"],
    [1, ["e-ourz"], "there is no machine e-ourz on this host\n  hint: did you mean e-ours?"],
    [1, ["e-"], "names with e- in them: e-hand, e-noshell, e-ours"],
    [1, ["ours"], "did you mean e-ours?"],
    [1, ["e-ours.service"], "did you mean e-ours?"],
    [1, ["dbus"], "dbus.service is no machine"],
    [1, ["e-noshell"], "the machine e-noshell has no shell: there is no /bin/sh in it\n  hint: nspawn-enter e-noshell -- "],
    [2, ["a/b"], '"a/b" is no machine name'],
    [2, [], "missing required argument 'machine'"],
    [2, ["--fly", "e-ours"], "unknown option '--fly'"],
  ];
  for (const [code, args, text] of words) expect(await failWith(host, code, ["nspawn-enter", ...args])).toContain(text);
  const asUser = ["setpriv", "--reuid=65534", "--clear-groups", "nspawn-enter", "e-ours"];
  expect(await failWith(host, 1, asUser)).toContain("nspawn-enter has to be run by root");
});

test("--action=nsenter opens a shell in the script's machine, and says so where it does not run", async () => {
  const nsenter = ["/root/s/ours.ts", "--action=nsenter"];
  expect(await host.must(nsenter, { input: "hostname" })).toBe("e-ours\n");
  expect((await atTerminal(host, nsenter, [{ type: "tty; exit 4\n" }, { expect: "/dev/pts/" }])).code).toBe(4);
  expect(await failWith(host, 2, [...nsenter, "--plan"])).toContain("nothing to plan");
  await succeed(host, ["/root/s/ours.ts", "--action=stop"]);
  expect(await failWith(host, 1, nsenter)).toContain("the machine e-ours is not running\n  hint: systemctl start e-ours.service");
});
