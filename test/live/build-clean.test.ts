import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { longTest } from "../support/tries.js";
import { debianBootstrap, Lab, namesIn, readArchive, runProgram, Sandbox } from "./support/build.js";

const lab = new Lab();
const target = lab.archive("clean.tar.zst");
const image = `IMAGE("${lab.url("clean.tar.zst")}");`;
const nothing = [".", "./nspawn-image.yaml"];
let sandbox: Sandbox;

/** Packs a root that has BusyBox in /usr/bin, and what the commands (in the root) make of it. */
async function bareRoot(name: string, commands: string): Promise<string> {
  const script = [
    `mkdir -p "$1/all" "$1/bare/usr/bin"; tar -C "$1/all" -xzf "$2"`,
    'cp -a "$1/all/usr/bin/." "$1/bare/usr/bin/"; cd "$1/bare"',
    commands,
    'tar -C "$1/bare" -czf "$3" .',
  ].join("\n");
  const archive = lab.archive(`${name}.tar.gz`);
  await runProgram(["sh", "-ec", script, "sh", lab.archive(name), lab.busybox.slice("file://".length), archive]);
  return `file://${archive}`;
}

beforeAll(async () => {
  sandbox = await Sandbox.open();
  // Made anew, with a hostname and a resolv.conf of this machine at hand to leak.
  const ended = await lab.build(`IMAGE("${lab.url("debian.tar.zst")}"); ${debianBootstrap} PUSH();`, { within: sandbox.within });
  expect(ended.stdout).toContain("BOOTSTRAP debian bookworm");
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

describe("an image whose steps change nothing is empty", () => {
  longTest("on BusyBox", async () => {
    await lab.build(`${image} PULL("${lab.busybox}"); RUN(["true"]); SH(":"); PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
  });

  longTest("on Debian", async () => {
    await lab.build(`${image} PULL("${lab.url("debian.tar.zst")}"); RUN(["true"]); RUN(["true"]); PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
  });

  longTest("on a root without /etc, /var, /tmp and /root", async () => {
    const base = await bareRoot("lacking", "mkdir dev proc sys run; ln -s usr/bin bin; ln -s usr/bin sbin; ln -s usr/lib lib");
    await lab.build(`${image} PULL("${base}"); RUN(["true"]); PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
  });

  longTest("on a root that is /usr and nothing else", async () => {
    const base = await bareRoot("usr-only", "mkdir usr/lib64");
    await lab.build(`${image} PULL("${base}"); RUN(["true"]); SH("test -d /etc -a -d /tmp -a -d /var"); PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
  });

  for (const link of ["../run/systemd/resolve/stub-resolv.conf", "/run/resolv.conf", "../var/lib/resolv/resolv.conf", "nowhere"]) {
    longTest(`on a root whose /etc/resolv.conf leads to ${link}, which is not there`, async () => {
      const name = `link-${link.replaceAll("/", "-")}`;
      const base = await bareRoot(
        name,
        `mkdir dev proc sys run etc var tmp root; ln -s usr/bin bin; ln -s usr/lib lib; ln -s ${link} etc/resolv.conf`,
      );
      const ended = await lab.build(`${image} PULL("${base}"); SH("cat /etc/resolv.conf"); PUSH();`);
      expect(`${ended.output.join("\n")}\n`).toBe(readFileSync("/etc/resolv.conf", "utf8"));
      expect(await namesIn(target)).toEqual(nothing);
    });
  }

  longTest("without any step, and without any parent", async () => {
    await lab.build(`${image} PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
    await lab.build(`${image} PULL("${lab.busybox}"); PUSH();`);
    expect(await namesIn(target)).toEqual(nothing);
  });
});

describe("an image holds what its script made and nothing else", () => {
  longTest("a file in /etc comes with the folders above it, and with nothing of this host", async () => {
    await lab.build(`${image} PULL("${lab.url("debian.tar.zst")}"); SH("echo x > /etc/made"); PUSH();`);
    expect(await namesIn(target)).toEqual([...nothing, "./etc", "./etc/made"].sort());
  });

  longTest("/tmp, /run and /dev of a step are memory of its own", async () => {
    await lab.build(
      `${image} PULL("${lab.busybox}"); SH("echo x > /tmp/x; echo x > /run/x; echo x > /dev/shm/x"); SH("test ! -e /tmp/x"); PUSH();`,
    );
    expect(await namesIn(target)).toEqual(nothing);
  });

  longTest("a bootstrapped image has no resolv.conf, hostname, machine id, device, package list or log of this host", async () => {
    const members = await readArchive(lab.archive("debian.tar.zst"));
    const names = new Set(members.map(({ name }) => name));
    expect(names.has("./usr/bin/dpkg")).toBe(true);
    expect(["./etc/resolv.conf", "./etc/hostname", "./nspawn-prime", "./.nspawn-prime"].filter((name) => names.has(name))).toEqual([]);
    expect(members.find(({ name }) => name === "./etc/machine-id")?.content.toString()).toBe("");
    expect([...names].filter((name) => /^\.\/(dev|proc|sys|run|tmp)\/./.test(name) && name !== "./run/lock/")).toEqual([]);
    expect([...names].filter((name) => /^\.\/var\/(cache\/apt\/archives\/.*\.deb|lib\/apt\/lists\/.*Packages.*)$/.test(name))).toEqual([]);
    // The metadata names the image's URL, which lies in this folder.
    expect(
      members.filter(({ name, content }) => name !== "./nspawn-image.yaml" && content.includes(lab.folder)).map(({ name }) => name),
    ).toEqual([]);
  });

  longTest("a step's changes of resolv.conf reach neither image nor host, and those of machine-id and localtime are its own", async () => {
    const host = (path: string): string => readFileSync(path, "utf8");
    const before = host("/etc/resolv.conf");
    const localtime = readlinkSync("/etc/localtime");
    await lab.build(`
      ${image} PULL("${lab.url("debian.tar.zst")}");
      SH("echo nameserver 192.0.2.1 > /etc/resolv.conf; echo 0123456789abcdef0123456789abcdef > /etc/machine-id; ln -sf /nowhere /etc/localtime");
      SH("cat /etc/resolv.conf > /seen"); PUSH();`);
    expect(host("/etc/resolv.conf")).toBe(before);
    expect(readlinkSync("/etc/localtime")).toBe(localtime);
    expect(await namesIn(target)).toEqual([...nothing, "./etc", "./etc/localtime", "./etc/machine-id", "./seen"].sort());
  });
});

describe("a command in an image", () => {
  longTest("has the names of the internet", async () => {
    const ended = await lab.build(
      `${image} PULL("${lab.url("debian.tar.zst")}"); SH("cat /etc/resolv.conf; getent hosts $(grep -om1 '//[^/]*' /etc/apt/sources.list | tr -d /); apt-get update -qq 2>&1");`,
    );
    for (const line of readFileSync("/etc/resolv.conf", "utf8").trim().split("\n")) expect(ended.output).toContain(line);
    expect(ended.output.some((line) => /^[0-9a-f.:]+ +.*debian/.test(line))).toBe(true);
  });

  longTest("sees nothing of the environment of nspawn-build", async () => {
    const env = { SECRET: "x-secret-x", HTTP_TOKEN: "x-secret-x", LD_LIBRARY_PATH: "/x-secret-x", SYSTEMD_NSPAWN_LOCK: "1" };
    const start = `${image} PULL("${lab.busybox}"); WITH({ Environment: { GIVEN: "yes" } });`;
    const ended = await lab.build(`${start} RUN(["env"]);`, { env });
    const known = ["GIVEN", "HOME", "HOSTNAME", "LANG", "LOGNAME", "NOTIFY_SOCKET", "PATH", "TERM", "USER", "container", "container_uuid"];
    expect(ended.output).toContain("GIVEN=yes");
    expect(ended.output.filter((line) => !known.includes(line.split("=")[0] ?? "") && !line.startsWith("container_host_"))).toEqual([]);
    const first = await lab.build(`${start} SH("tr '\\\\0' '\\\\n' < /proc/1/environ");`, { env });
    expect(first.output.some((line) => line.startsWith("PATH="))).toBe(true);
    expect(first.output.filter((line) => /secret|^NSPAWN_|^SYSTEMD_/.test(line))).toEqual([]);
  });

  longTest("cannot make the device of a disk", async () => {
    const ended = await lab.build(
      `${image} PULL("${lab.busybox}"); SH("mknod /disk b 254 0 2>&1 || true; mkfifo /pipe; ls /disk /pipe 2>&1 || true");`,
    );
    expect(ended.output).toEqual(["mknod: /disk: Operation not permitted", "ls: /disk: No such file or directory", "/pipe"]);
  });

  longTest("runs as root of the image, with nothing to read and no processes of this host in sight", async () => {
    const ended = await lab.build(`${image} PULL("${lab.busybox}"); SH("id -u; cat | wc -c; ls /proc | grep -c '^[0-9]*$'; pwd");`);
    const [uid, read, processes, folder] = ended.output;
    expect([uid, read, folder]).toEqual(["0", "0", "/"]);
    expect(Number(processes)).toBeLessThan(10);
  });
});

describe("a build leaves nothing on the machine", () => {
  const script = `${image} PULL("${lab.busybox}"); SH("mkdir /left; sleep 1000 & echo started"); COPY({ source: "/f", target: "/left/f" }); PUSH();`;
  const systemd = (): readonly string[] => {
    try {
      return readdirSync("/run/systemd/nspawn", { recursive: true }).map(String);
    } catch {
      return [];
    }
  };

  longTest("when it succeeds: no mount, process or temporary folder, and nothing in /run/systemd/nspawn", async () => {
    const before = systemd();
    await lab.build(script, { within: sandbox.within, files: { f: "x" } });
    expect(await sandbox.leftovers()).toEqual([]);
    expect(lab.inProgress()).toEqual([]);
    expect(systemd()).toEqual(before);
    expect(readdirSync(lab.images).filter((name) => name.startsWith("."))).toEqual([]);
  });

  longTest("when it fails", async () => {
    const ended = await lab.run(`${script} RUN(["false"]);`, { within: sandbox.within, files: { f: "x" } });
    expect(ended.code, ended.stderr).toBe(1);
    expect(await sandbox.leftovers()).toEqual([]);
    expect(lab.inProgress()).toEqual([]);
  });

  longTest("and a process that a step leaves behind ends with the step", async () => {
    const ended = await lab.build(
      `${image} PULL("${lab.busybox}"); SH("sleep 1000 & echo started"); SH("ps | grep -c '[s]leep' || true");`,
    );
    expect(ended.output).toEqual(["started", "0"]);
  });
});
