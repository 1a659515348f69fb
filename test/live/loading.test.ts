import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

/** Every demo script is planned under strace(1): what its process and all threads and children of it do to the system is in the trace. */
const demo = fileURLToPath(new URL("../../demo", import.meta.url));
const scripts = readdirSync(demo, { recursive: true, encoding: "utf8" })
  .filter((path) => /(^|\/)(build|setup)\.ts$/.test(path))
  .sort();

/** Programs that a plan may start, and what for. */
const mayStart: readonly RegExp[] = [
  // The version of systemd, for settings that an older one does not know.
  /^\S*\/systemd-nspawn", \["\S*systemd-nspawn", "--version"\]/,
];

/** Sockets a process may connect to: none but those of its host's name services, if any. */
const mayConnect: readonly RegExp[] = [/sa_family=AF_UNIX, sun_path="\/(var\/)?run\/nscd\/socket"/];

/** What may be opened for writing: nothing that stays. */
const mayWrite = /^"\/(dev\/null|dev\/tty|proc\/self\/\S*)"/;

const changes = [
  ...["creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "link", "linkat"],
  ...["symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "truncate", "ftruncate"],
  ...["setxattr", "lsetxattr", "fsetxattr", "removexattr", "utime", "utimes", "utimensat", "mount", "umount2", "mount_setattr", "fsmount"],
  ...["move_mount", "open_tree", "pivot_root", "chroot", "unshare", "setns", "sethostname", "settimeofday", "clock_settime", "reboot"],
  ...["init_module", "finit_module", "swapon", "quotactl", "kill", "tkill", "ptrace", "bind", "listen"],
];

/** Calls that change something, or not, by what they are given. */
const calls = ["open", "openat", "openat2", "execve", "execveat", "connect", "sendto", "sendmsg"];

/** The mark lets strace leave out what this processor or this version of it does not know. */
const known = (names: readonly string[]): string => names.map((name) => `?${name}`).join(",");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync("/var/tmp/nspawn-loading-");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As the first line of the commands has them. */
const nodeOptions = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];

type Trace = { readonly status: number | null; readonly output: string; readonly calls: readonly string[] };

function trace(command: "nspawn-build" | "nspawn-setup", script: string, env: Readonly<Record<string, string>> = {}): Trace {
  const log = join(folder, "trace");
  const program = join(inject("prefix"), "lib/node_modules/nspawn/dist/cli", `${command}.cjs`);
  const watched = `trace=${known([...calls, ...changes])}`;
  const argv = [
    "-f",
    "-qq",
    "-s",
    "300",
    "-o",
    log,
    "-e",
    "signal=none",
    "-e",
    watched,
    process.execPath,
    ...nodeOptions,
    program,
    script,
    "--plan",
  ];
  const { status, stdout, stderr } = spawnSync("strace", argv, {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", HOME: "/root", ...env },
    encoding: "utf8",
  });
  const lines = readFileSync(log, "utf8")
    .split("\n")
    // Lines such as: 123 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3
    .map((line) => line.replace(/^\d+ +/, ""))
    .filter((line) => /^\w+\(/.test(line));
  return { status, output: stdout + stderr, calls: lines };
}

/** Calls that change something or reach beyond the process, but for what is allowed; calls that failed count as well. */
function deeds({ calls }: Trace): readonly string[] {
  return calls.filter((call) => {
    const [, name = "", rest = ""] = /^(\w+)\((.*)$/s.exec(call) ?? [];
    if (name.startsWith("open"))
      return /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE/.test(rest) && !mayWrite.test(rest.replace(/^AT_FDCWD, /, ""));
    if (name.startsWith("execve")) return !mayStart.some((allowed) => allowed.test(rest.replace(/^"/, "")));
    if (name === "connect") return !mayConnect.some((allowed) => allowed.test(rest));
    // Threads of Node wake each other by descriptors, never by a socket with an address.
    if (name.startsWith("send")) return /sa_family/.test(rest);
    return changes.includes(name);
  });
}

const commandOf = (script: string): "nspawn-build" | "nspawn-setup" => (script.endsWith("build.ts") ? "nspawn-build" : "nspawn-setup");

test("there are demo scripts of both kinds, and the trace sees what a process does", () => {
  expect(scripts.length).toBeGreaterThanOrEqual(4);
  const log = join(folder, "check");
  execFileSync("strace", [
    "-f",
    "-qq",
    "-o",
    log,
    "-e",
    `trace=${known([...calls, ...changes])}`,
    "sh",
    "-c",
    'echo x > "$1"; chmod 600 "$1"; rm "$1"',
    "sh",
    join(folder, "x"),
  ]);
  const lines = readFileSync(log, "utf8")
    .split("\n")
    .map((line) => line.replace(/^\d+ +/, ""));
  const seen = deeds({ status: 0, output: "", calls: lines }).map((call) => call.replace(/\(.*/, ""));
  expect(seen).toEqual(expect.arrayContaining(["execve", "openat", "unlinkat"]));
  expect(seen.some((name) => name.startsWith("fchmodat"))).toBe(true);
});

test.each(scripts)("%s --plan touches nothing", (script) => {
  const traced = trace(commandOf(script), join(demo, script));
  // Their images are not there, but for the base's, which has no parents.
  const isWhole = script === "debian/base/build.ts";
  expect(traced.status, traced.output).toBe(isWhole ? 0 : 1);
  expect(traced.output.includes("error: the plan is incomplete"), traced.output).toBe(!isWhole);
  expect(traced.output).toContain("file:///srv/nspawn-demo/");
  // The first is strace's own start of Node.
  const [start, ...others] = deeds(traced);
  expect(start).toContain(`execve("${process.execPath}"`);
  expect(others).toEqual([]);
  // Nothing is missed: the script itself was read.
  expect(traced.calls.some((call) => call.includes(`${join(dirname(script), "")}`) && call.startsWith("open"))).toBe(true);
});

test("no compiled output is kept, in no temporary folder and in no cache", () => {
  const [script = ""] = scripts;
  const cache = join(folder, "cache");
  const traced = trace(commandOf(script), join(demo, script), { TMPDIR: folder, XDG_CACHE_HOME: cache });
  expect(traced.status, traced.output).toBe(0);
  expect(deeds(traced)).toHaveLength(1);
  expect(readdirSync(folder).filter((name) => name !== "trace" && name !== "check")).toEqual([]);
});

test("V8 compiles the WebAssembly of templates once: a process could not end as long as it is at it again", () => {
  const program = join(inject("prefix"), "lib/node_modules/nspawn/dist/cli/nspawn-build.cjs");
  // One of nothing but names needs none.
  const web = join(folder, "web");
  cpSync(join(demo, "debian/web"), web, { recursive: true });
  appendFileSync(join(web, "srv/www/index.html"), "{% for name in packages %}{{ name }}{% endfor %}\n");
  const argv = [...nodeOptions, "--trace-wasm-compilation-times", program, join(web, "build.ts"), "--plan"];
  // With a store of its own: what was rendered on this host before is not rendered again.
  const env = { ...process.env, NSPAWN_STORAGE_ROOT: join(folder, "store") };
  const { stdout } = spawnSync(process.execPath, argv, { cwd: "/", encoding: "utf8", env });
  // Its threads write at once, so lines may be mixed.
  expect(stdout).toContain("using Liftoff");
  expect(stdout).not.toContain("using TurboFan");
  const plain = [...argv.slice(0, -2), join(demo, "debian/web/build.ts"), "--plan"];
  expect(spawnSync(process.execPath, plain, { cwd: "/", encoding: "utf8", env }).stdout).not.toContain("using");
});
