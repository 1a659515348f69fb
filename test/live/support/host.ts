import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../../../scripts/host", import.meta.url));

/** What to boot. */
export interface HostOptions {
  /** The host's name: its hostname, too. Hosts run side by side under different names. */
  readonly name: string;
  /** Debian's release: `bookworm` (default), `trixie` or `sid`. */
  readonly release?: string;
  /** Folders and files of this machine to show in the host: `SRC:DST`. */
  readonly bind?: readonly string[];
  /** The same, read-only. */
  readonly bindRo?: readonly string[];
  /** A network of the host's own instead of this machine's: without the internet. */
  readonly networkVeth?: boolean;
}

/** How to run a command in a host. */
interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For the command's stdin, which is empty otherwise. */
  readonly input?: string;
  /** After this time the command and all that it started is killed, and the promise rejected. */
  readonly timeoutMs?: number;
}

/** What a command left. Its code is 128 + the signal's number if a signal ended it. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running host with systemd as its first process (see `scripts/host`). It ends with this process, however that ends. */
export interface DisposableHost {
  readonly name: string;
  /** The PID, on this machine, of the host's systemd: another one after a reboot. */
  readonly leader: number;
  /** Runs a command as root, in a clean environment. A code other than 0 is no error. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs a command that has to succeed, and returns its stdout. */
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
  /** Runs lines of `sh` that have to succeed, and returns their stdout. */
  shell(script: string, options?: RunOptions): Promise<string>;
  /** Restarts the host on the same root: orderly, or as after a loss of power. */
  reboot(how: "orderly" | "crash"): Promise<void>;
  /** Shuts the host down and waits until nothing of it is left. Fine if it is down already. */
  stop(): Promise<void>;
}

/** Boots a host: about one second, plus once half a minute to make its root. */
export async function bootHost(options: HostOptions): Promise<DisposableHost> {
  const { name } = options;
  const argv = ["boot", name];
  if (options.release !== undefined) argv.push("--release", options.release);
  for (const bind of options.bind ?? []) argv.push("--bind", bind);
  for (const bind of options.bindRo ?? []) argv.push("--bind-ro", bind);
  if (options.networkVeth) argv.push("--network-veth");

  // The script dies with its parent, and has to know who that is even if it is gone before the script looks.
  const booting = spawn(SCRIPT, argv, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NSPAWN_HOST_PARENT: String(process.pid) },
  });
  const ended = endOf(booting);
  const leaders = leadersOf(booting);
  await Promise.race([
    leaders.first,
    ended.then(({ code, stdout, stderr }) => {
      throw new Error(describe([SCRIPT, ...argv], code, stdout, stderr));
    }),
  ]);

  const run = (command: readonly string[], runOptions: RunOptions = {}): Promise<RunResult> => runIn(name, command, runOptions);
  const must = async (command: readonly string[], runOptions: RunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await run(command, runOptions);
    if (code !== 0) throw new Error(describe(command, code, stdout, stderr));
    return stdout;
  };
  return {
    name,
    get leader() {
      return leaders.last();
    },
    run,
    must,
    shell: (script, runOptions) => must(["sh", "-ec", script], runOptions),
    reboot: async (how) => {
      const again = [SCRIPT, "reboot", name, ...(how === "crash" ? ["--crash"] : [])];
      const { code, stdout, stderr } = await endOf(spawn(SCRIPT, again.slice(1), { stdio: ["ignore", "pipe", "pipe"] }));
      if (code !== 0) throw new Error(describe(again, code, stdout, stderr));
    },
    stop: async () => {
      booting.kill("SIGTERM");
      const { code, stdout, stderr } = await ended;
      if (code !== 0) throw new Error(describe([SCRIPT, ...argv], code, stdout, stderr));
    },
  };
}

async function runIn(name: string, command: readonly string[], options: RunOptions): Promise<RunResult> {
  const argv = ["enter", name];
  for (const [key, value] of Object.entries(options.env ?? {})) argv.push("--setenv", `${key}=${value}`);
  if (options.cwd !== undefined) argv.push("--chdir", options.cwd);
  argv.push("--", ...command);

  const entered = spawn(SCRIPT, argv, { stdio: ["pipe", "pipe", "pipe"] });
  // A command need not read its stdin.
  entered.stdin.on("error", () => {});
  entered.stdin.end(options.input ?? "");

  let late = false;
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          entered.kill("SIGTERM");
        }, options.timeoutMs);
  const result = await endOf(entered).finally(() => clearTimeout(timer));
  if (late) throw new Error(`no end after ${options.timeoutMs} ms\n${describe(command, result.code, result.stdout, result.stderr)}`);
  return result;
}

/** The host's first processes, as the script tells of them: one for each time that the host is up. */
function leadersOf(booting: ChildProcess): { readonly first: Promise<number>; readonly last: () => number } {
  let text = "";
  const told = (): readonly number[] => [...text.matchAll(/^ready \S+ leader=(\d+)$/gm)].map(([, leader]) => Number(leader));
  const first = new Promise<number>((resolve) => {
    booting.stdout?.on("data", (chunk: string) => {
      text += chunk;
      const [leader] = told();
      if (leader !== undefined) resolve(leader);
    });
  });
  return { first, last: () => told().at(-1) ?? 0 };
}

const SIGNAL_CODES: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

function endOf(child: ChildProcess): Promise<RunResult> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code: code ?? (signal === null ? undefined : SIGNAL_CODES[signal]) ?? 128, stdout, stderr });
    });
  });
}

function describe(command: readonly string[], code: number, stdout: string, stderr: string): string {
  return `${command.join(" ")}\nended with code ${code}\n${stdout}${stderr}`.trimEnd();
}
