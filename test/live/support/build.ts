import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, inject } from "vitest";
import { removeFolder } from "../../support/temp.js";

/** The package as it is installed for all live tests, and its command. */
export const installed = join(inject("prefix"), "lib/node_modules/nspawn");
export const nspawnBuild = join(installed, "dist/cli/nspawn-build.cjs");
const nspawn = join(installed, "dist/cli/nspawn.cjs");
export const nspawnSetup = join(installed, "dist/cli/nspawn-setup.cjs");
const fixtures = fileURLToPath(new URL("../../fixtures/python-nspawn", import.meta.url));

/** What a program left. `code` is undefined where a signal ended it. */
export type Ended = {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What RUN and SH wrote, without the marks that nspawn-build puts before each line. */
  readonly output: readonly string[];
};

export type Running = { readonly script: string; readonly child: ChildProcess; readonly ended: Promise<Ended> };

export type BuildOptions = {
  /** The store, by default the lab's own. */
  readonly store?: string;
  /** More environment of nspawn-build itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files beside the script, by their path. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** A program with arguments that runs the command given after them. */
  readonly within?: readonly string[];
  /** Where nspawn-build is to be found, if not where it is installed. */
  readonly program?: string;
  /** More options of nspawn-build. */
  readonly options?: readonly string[];
};

/** A folder on a real disk, with a store and a place for images, for the tests of one file. */
export class Lab {
  readonly folder: string;
  readonly store: string;
  readonly images: string;
  #scripts = 0;

  /** @param parent where the folder is made; /dev/shm is in memory, where nothing waits for a disk */
  constructor(parent = "/var/tmp") {
    this.folder = join(parent, `nspawn-live-${randomBytes(6).toString("hex")}`);
    this.store = join(this.folder, "store");
    this.images = join(this.folder, "images");
    // Where all tests of a file are skipped, no hook runs: neither this one, nor what removes the folder.
    beforeAll(() => {
      mkdirSync(this.images, { recursive: true });
      // Stores are for nobody else to look into.
      chmodSync(this.folder, 0o700);
    });
  }

  /** A file path of an image of this lab, such as `/var/tmp/…/images/NAME`. */
  archive(name: string): string {
    return join(this.images, name);
  }

  url(name: string): string {
    return `file://${this.archive(name)}`;
  }

  /** URL of BusyBox, an image without metadata. */
  get busybox(): string {
    return `file://${join(fixtures, "rootfs.tar.gz")}`;
  }

  /** Writes a script into a new folder; keywords need not be imported. */
  script(lines: string, files: BuildOptions["files"] = {}): string {
    const folder = join(this.folder, `script-${++this.#scripts}`);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "build.ts");
    writeFileSync(path, `import { IMAGE, PULL, BOOTSTRAP, WITH, COPY, CAST, FETCH, RUN, SH, EXEC, PUSH } from "nspawn/build";\n${lines}\n`);
    return path;
  }

  /** Starts nspawn-build on a script: its path, or its lines. */
  start(
    script: string,
    { store = this.store, env = {}, files, within = [], program: build = nspawnBuild, options = [] }: BuildOptions = {},
  ): Running {
    const path = script.startsWith("/") ? script : this.script(script, files);
    return { script: path, ...this.#start([...within, build, ...options, path], store, env) };
  }

  /** What the command nspawn is started by. */
  readonly nspawnArgv: readonly string[] = [nspawn];

  /** Starts the command nspawn: `["image", "list"]`. */
  startNspawn(words: readonly string[], { store = this.store, env = {}, within = [] }: BuildOptions = {}): Omit<Running, "script"> {
    return this.#start([...within, ...this.nspawnArgv, ...words], store, env);
  }

  /** Runs the command nspawn to its end, however it ends. */
  nspawn(words: readonly string[], options: BuildOptions = {}): Promise<Ended> {
    return this.startNspawn(words, options).ended;
  }

  #start(argv: readonly string[], store: string, env: NonNullable<BuildOptions["env"]>): Omit<Running, "script"> {
    const [program = "", ...args] = argv;
    const child = spawn(program, args, {
      env: { ...bareEnvironment, NSPAWN_STORAGE_ROOT: store, NSPAWN_NETWORK_RETRY_PAUSE: "0.05", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { child, ended: endOf(child) };
  }

  /** Runs nspawn-build to its end, however it ends. */
  run(script: string, options: BuildOptions = {}): Promise<Ended> {
    return this.start(script, options).ended;
  }

  /** Runs a build that has to succeed. */
  async build(script: string, options: BuildOptions = {}): Promise<Ended> {
    const ended = await this.run(script, options);
    if (ended.code !== 0)
      throw new Error(`nspawn-build: ${ended.code ?? ended.signal}\n${ended.stdout.slice(-1500)}\n${ended.stderr.slice(-1500)}`);
    return ended;
  }

  /** Names of what a store has in its folder for work in progress. */
  inProgress(store = this.store): readonly string[] {
    const folder = join(store, "tempdir");
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Root folder of an archive's layer in a store, found by the archive's content alone. */
  layer(archive: string, store = this.store): string {
    return join(store, "extract", createHash("sha256").update(readFileSync(archive)).digest("hex").slice(0, 16));
  }

  remove(): void {
    removeFolder(this.folder);
  }
}

const bareEnvironment = {
  PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  HOME: "/root",
  LANG: "C.UTF-8",
};

/** Runs a program of this machine; its standard output in bytes. Throws if it fails. */
export async function runProgram(argv: readonly string[], input?: Buffer | string): Promise<Buffer> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { env: bareEnvironment, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([
    bytesOf(child.stdout),
    bytesOf(child.stderr),
    new Promise((done) => child.once("close", done)),
  ]);
  if (child.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${child.exitCode ?? child.signalCode}\n${stderr}`);
  return stdout;
}

/**
 * Kernel truth: mounts layers of a store, the top one first, and runs a program in the tree that they make, by chroot. Made
 * without anything of nspawn's, but for the options that keep layers apart from each other.
 */
export function runInLayers(layers: readonly string[], argv: readonly string[]): Promise<Buffer> {
  const script = [
    'dir="$1"; lower="$2"; shift 2',
    'mount -t tmpfs tmpfs "$dir"; cd "$dir"; mkdir empty root',
    // Read-only, with short names for any number of layers.
    'n=0; names=; IFS=:; for layer in $lower; do n=$((n+1)); ln -s "$layer" $n; names="$names$n:"; done; unset IFS',
    'mount -t overlay -o "lowerdir=$names""empty,index=off,metacopy=off,redirect_dir=off" overlay root',
    'exec chroot root "$@"',
  ].join("\n");
  return runProgram(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", "/mnt", layers.join(":"), ...argv]);
}

/**
 * Namespaces that hold builds, so that all that one leaves is seen, and nothing that others do on this machine meanwhile: a
 * PID namespace, and a mount namespace in which mounts propagate as on a host with systemd.
 */
export class Sandbox {
  /** Goes before a command to run it in the sandbox. */
  readonly within: readonly string[];
  /** The same with the processes of this machine: to be in a PID namespace is to be in a container for a pull, which waits for the disk then. */
  readonly withinMounts: readonly string[];
  readonly #holder: ChildProcess;
  readonly #pid: number;
  readonly #mounts: readonly string[];

  private constructor(holder: ChildProcess, pid: number) {
    this.#holder = holder;
    this.#pid = pid;
    this.within = ["nsenter", `--target=${pid}`, "--mount", "--pid"];
    // With the /proc of these processes.
    const proc = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", 'mount -t proc proc /proc; exec "$@"', "sh"];
    this.withinMounts = ["nsenter", `--target=${pid}`, "--mount", ...proc];
    this.#mounts = this.#mountsNow();
  }

  /** @param srv a folder to be seen as /srv in the sandbox */
  static async open(srv?: string): Promise<Sandbox> {
    const script = `mount --make-rshared /\n${srv ? 'mount --bind "$1" /srv\n' : ""}trap '' CHLD\necho ready\nexec cat`;
    const [program = "", ...options] = [
      "unshare",
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      "--propagation",
      "private",
    ];
    const holder = spawn(program, [...options, "sh", "-ec", script, "sh", srv ?? ""], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((ready, fail) => {
      holder.stdout?.once("data", ready);
      holder.once("close", () => fail(new Error("no namespaces")));
    });
    const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
    return new Sandbox(holder, Number(children.trim()));
  }

  /** Where this process sees a path of the sandbox, with what is mounted there. */
  path(path: string): string {
    return join(`/proc/${this.#pid}/root`, path);
  }

  /** Command lines of all processes in the sandbox but its holder, the oldest first. */
  processes(): readonly { readonly pid: number; readonly command: string }[] {
    const proc = `/proc/${this.#pid}/root/proc`;
    return readdirSync(proc)
      .filter((name) => /^\d+$/.test(name) && name !== "1")
      .sort((one, other) => Number(one) - Number(other))
      .flatMap((pid) => {
        try {
          const command = readFileSync(join(proc, pid, "cmdline"), "utf8")
            .replaceAll("\0", " ")
            .trim();
          // Empty: a zombie, which is a process no more.
          return command === "" ? [] : [{ pid: Number(pid), command }];
        } catch {
          return [];
        }
      });
  }

  /** Mounts in the sandbox that were not there when it was opened. */
  newMounts(): readonly string[] {
    return this.#mountsNow().filter((mount) => !this.#mounts.includes(mount));
  }

  /** Sends a signal to the nspawn-build that runs in the sandbox; false if there is none. */
  async signal(signal: "KILL" | "INT" | "TERM", script: string): Promise<boolean> {
    // The oldest: until a child of it has run its own program, it has the same command line.
    const build = this.processes().find(
      ({ command }) => command.includes("nspawn-build.cjs") && command.includes(script) && !command.startsWith("nsenter"),
    );
    if (!build) return false;
    return runProgram([...this.within, "kill", "-s", signal, String(build.pid)]).then(
      () => true,
      () => false,
    );
  }

  /** What is left of a build that has ended, after `patience` at most: processes and mounts. */
  async leftovers(patience = 0): Promise<readonly string[]> {
    // What has the disk take a pull goes on when the build has ended.
    await until(() => !this.processes().some(({ command }) => command.includes(" nspawn-sync ")));
    const start = performance.now();
    for (;;) {
      const left = [...this.processes().map(({ pid, command }) => `process ${pid}: ${command}`), ...this.newMounts()];
      if (left.length === 0 || performance.now() - start >= patience) return left;
      await sleep(20);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.#holder.once("close", done));
    this.#holder.stdin?.end();
    await closed;
  }

  #mountsNow(): readonly string[] {
    return readFileSync(`/proc/${this.#pid}/mountinfo`, "utf8").trim().split("\n");
  }
}

/** Waits for something that is to come. */
export async function until(ready: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await ready())) {
    if (performance.now() - start > 60_000) throw new Error("it does not come");
    await sleep(10);
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** A folder to be bound to /srv, with the images of the Python tool where their URLs say: /srv/fix/NAME.tar.gz. */
export async function pythonImages(lab: Lab): Promise<string> {
  const srv = join(lab.folder, "srv");
  mkdirSync(srv, { recursive: true });
  await runProgram(["cp", "--archive", fixtures, join(srv, "fix")]);
  return srv;
}

/** Where a Debian image is kept for a day, as the roots of disposable hosts are. */
const cache = process.env.NSPAWN_TEST_CACHE ?? "/var/cache/nspawn-test";

/** Script lines that make a Debian with the programs that these tests use. */
export const debianBootstrap =
  'BOOTSTRAP({ distribution: "debian", release: "bookworm", variant: "minbase", packages: ["attr", "acl", "libcap2-bin", "python3-minimal"] });';

/** Puts a Debian image into the lab: built by nspawn-build, or the one that was built in the last 24 hours. */
export async function debianImage(lab: Lab, name: `${string}.tar.zst`): Promise<void> {
  const version = createHash("sha256").update(debianBootstrap).digest("hex").slice(0, 16);
  const kept = join(cache, `debian-${version}.tar.zst`);
  const age = existsSync(kept) ? Date.now() - statSync(kept).mtimeMs : Number.POSITIVE_INFINITY;
  if (age > 24 * 3600 * 1000) {
    await lab.build(`IMAGE("${lab.url("debian-to-keep.tar.zst")}"); ${debianBootstrap} PUSH();`);
    mkdirSync(cache, { recursive: true });
    await runProgram(["cp", lab.archive("debian-to-keep.tar.zst"), `${kept}.${process.pid}`]);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  await runProgram(["cp", "--preserve=timestamps", kept, lab.archive(name)]);
}

/** A member of an archive as its bytes say. Names and links are latin1: one character for each byte. */
export type Member = {
  readonly name: string;
  readonly type: "file" | "hardlink" | "symlink" | "character" | "block" | "folder" | "fifo" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly link: string;
  readonly device: string;
  /** Extended attributes, and what else the extended header says. */
  readonly extended: Readonly<Record<string, string>>;
  readonly content: Buffer;
};

const memberTypes: Readonly<Record<string, Member["type"]>> = {
  "0": "file",
  "\0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "folder",
  "6": "fifo",
};

/** Reads an archive in the POSIX format, with a reader of its own, so that nothing is taken on tar's word. */
export async function readArchive(path: string): Promise<readonly Member[]> {
  const program = path.endsWith(".zst") ? ["zstd", "-dcq"] : path.endsWith(".xz") ? ["xz", "-dc"] : ["gzip", "-dc"];
  const data = await runProgram([...program, path]);
  const members: Member[] = [];
  let extended: Record<string, string> = {};
  for (let at = 0; at + 512 <= data.length && data[at] !== 0; ) {
    const head = data.subarray(at, at + 512);
    const size = Number(extended.size ?? octalIn(head, 124, 12));
    const content = data.subarray(at + 512, at + 512 + size);
    const isHeader = head[156] === "x".charCodeAt(0);
    if (!isHeader) members.push(memberOf(head, extended, content));
    extended = isHeader ? paxRecords(content) : {};
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return members;
}

function memberOf(head: Buffer, extended: Readonly<Record<string, string>>, content: Buffer): Member {
  const prefix = textIn(head, 345, 155);
  const name = prefix ? `${prefix}/${textIn(head, 0, 100)}` : textIn(head, 0, 100);
  return {
    name: extended["GNU.sparse.name"] ?? extended.path ?? name,
    type: memberTypes[String.fromCharCode(head[156] ?? 0)] ?? "other",
    mode: octalIn(head, 100, 8),
    uid: Number(extended.uid ?? octalIn(head, 108, 8)),
    gid: Number(extended.gid ?? octalIn(head, 116, 8)),
    link: extended.linkpath ?? textIn(head, 157, 100),
    device: `${octalIn(head, 329, 8)}:${octalIn(head, 337, 8)}`,
    extended,
    content,
  };
}

function textIn(head: Buffer, from: number, length: number): string {
  return (
    head
      .subarray(from, from + length)
      .toString("latin1")
      .split("\0")[0] ?? ""
  );
}

function octalIn(head: Buffer, from: number, length: number): number {
  return Number.parseInt(textIn(head, from, length).trim() || "0", 8);
}

/** Names of an archive's members in the order of bytes, folders without a slash at their end. */
export async function namesIn(archive: string): Promise<readonly string[]> {
  return (await readArchive(archive)).map(({ name }) => name.replace(/(.)\/$/, "$1")).sort();
}

export function isWhiteout({ type, device }: Member): boolean {
  return type === "character" && device === "0:0";
}

export function isOpaque({ extended }: Member): boolean {
  return extended["SCHILY.xattr.trusted.overlay.opaque"] === "y";
}

function paxRecords(content: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number(content.subarray(at, space).toString());
    const equals = content.indexOf(0x3d, space);
    records[content.subarray(space + 1, equals).toString("latin1")] = content.subarray(equals + 1, at + length - 1).toString("latin1");
    at += length;
  }
  return records;
}

/**
 * A Python program (of python3-minimal, so without json) that describes a tree, a line for each entry: path, type, mode, owner,
 * size, time of change to the nanosecond, link target, device, whether it is sparse, extended attributes (with ACLs and
 * capabilities), hash of content, and all names of the same inode if there are more than this. Left out are the sizes and link counts of folders, which are of
 * the file system that happens to hold them, and the link count of files, which counts links in lower layers that are deleted
 * above; which names share an inode is what can be seen, and that is compared.
 * Its arguments: the folder, then paths to leave out.
 */
export const manifestProgram = `
import hashlib, os, stat, sys
top = os.fsencode(sys.argv[1])
leave = set(map(os.fsencode, sys.argv[2:]))
inodes = {}
lines = []
def describe(path):
    s = os.lstat(path)
    kind = stat.S_IFMT(s.st_mode)
    folder = kind == stat.S_IFDIR
    regular = kind == stat.S_IFREG
    inode = (path,) if folder else (s.st_dev, s.st_ino)
    inodes.setdefault(inode, []).append(path)
    link = os.readlink(path) if kind == stat.S_IFLNK else b""
    names = sorted(os.listxattr(path, follow_symlinks=False))
    xattrs = [(n, os.getxattr(path, n, follow_symlinks=False)) for n in names]
    digest = ""
    if regular:
        h = hashlib.sha256()
        with open(path, "rb") as f:
            for block in iter(lambda: f.read(1 << 20), b""):
                h.update(block)
        digest = h.hexdigest()
    size = 0 if folder else s.st_size
    sparse = regular and s.st_blocks * 512 + (1 << 16) < s.st_size
    rdev = s.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
    lines.append((inode, [path, oct(s.st_mode), s.st_uid, s.st_gid, size, s.st_mtime_ns, link, rdev, sparse, xattrs, digest]))
    if folder:
        for name in sorted(os.listdir(path)):
            below = os.path.join(path, name)
            if below not in leave:
                describe(below)
describe(top)
for inode, fields in lines:
    print(ascii((*fields, inodes[inode][1:] and inodes[inode])))
`;

/** Lines of {@link manifestProgram} by path, the path as Python writes bytes: `b'/etc'`. */
export function manifest(lines: readonly string[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const line of lines) {
    const path = /^\((b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*"), /.exec(line)?.[1];
    if (path !== undefined) entries.set(path, line);
  }
  return entries;
}

/** The lines in which two manifests differ: what is only in the first with `-`, what is only in the second with `+`. */
export function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly string[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort();
  return paths.flatMap((path) => {
    const [left, right] = [a.get(path), b.get(path)];
    return left === right ? [] : [...(left === undefined ? [] : [`- ${left}`]), ...(right === undefined ? [] : [`+ ${right}`])];
  });
}

/** The digest of an archive as PULL takes it. */
export function digestOf(archive: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(archive)).digest("hex")}`;
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const closed = new Promise((done, fail) => {
    child.once("close", done);
    child.once("error", fail);
  });
  const [out, err] = await Promise.all([bytesOf(child.stdout), bytesOf(child.stderr), closed]);
  const stdout = out.toString("utf8");
  const output = stdout.split("\n").filter((line) => line.startsWith("  │ "));
  return {
    code: child.exitCode ?? undefined,
    signal: child.signalCode ?? undefined,
    stdout,
    stderr: err.toString("utf8"),
    output: output.map((line) => line.slice("  │ ".length)),
  };
}

async function bytesOf(stream: NodeJS.ReadableStream | null): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (stream) for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
