import type { ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import { builtin } from "../base/builtin.js";
import { hasCode, NspawnError } from "../base/errors.js";
import { exitCode } from "./exit-code.js";
import type { Argv } from "./host.js";
import { baseEnvironment } from "./local.js";
import { listProcesses, type Process, readProcess, statusField } from "./processes.js";
import { programPath } from "./programs.js";
import { openStreams } from "./streams.js";

const passedSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Runs a program that runs another in a process namespace below ours, with our streams: SIGINT, SIGTERM, SIGHUP and SIGQUIT go to all in
 * its session there. It ends with us, even by kill -9.
 * @param terminal whether it has our terminal, and makes a session of another one; else its session has none, and gets pipes for streams of
 * ours that are a terminal or a file
 * @returns the exit code, or 128 and the number of the signal that ended it
 * @throws NspawnError if what it writes cannot be passed on, as on a full disk
 */
export async function runAttached(argv: Argv, { terminal }: { readonly terminal: boolean }): Promise<number> {
  return terminal ? runOnTerminal(argv) : runDetached(argv);
}

async function runOnTerminal([program, ...args]: Argv): Promise<number> {
  return runWithSignals(
    () => startOnTerminal(["--pdeathsig", "KILL", programPath(program), ...args]),
    (child, processes) => processes.find(({ parent }) => parent === child.pid)?.session,
  );
}

/** The end of script(1) hangs up its terminal, and so ends the session. */
function startOnTerminal(args: readonly string[]): ChildProcess {
  try {
    return builtin("node:child_process").spawn(programPath("setpriv"), args, { stdio: "inherit", env: baseEnvironment() });
  } catch (error) {
    // script(1) takes the whole command as one argument, and the kernel none of more than 128 KiB.
    if (hasCode(error, "E2BIG")) {
      throw new NspawnError("the command is too long for a terminal", { cause: error, hint: "give it as a script on standard input" });
    }
    throw error;
  }
}

async function runDetached([program, ...args]: Argv): Promise<number> {
  const { spawn } = builtin("node:child_process");
  const streams = openStreams();
  // Its parent is the only one that would notice our end, but in a process namespace nothing ends with its parent.
  const reaper = spawn(programPath("sh"), ["-c", reaperScript], {
    stdio: ["pipe", "ignore", "ignore"],
    env: baseEnvironment(),
    detached: true,
  });
  reaper.stdin.on("error", () => undefined);
  const start = (): ChildProcess => {
    const child = spawn(programPath(program), args, { stdio: [...streams.stdio], env: baseEnvironment(), detached: true });
    reaper.stdin.write(`${child.pid}\n`);
    for (const file of streams.theirs) closeSync(file);
    return child;
  };
  try {
    const code = await runWithSignals(start, ({ pid }) => pid);
    await streams.drained();
    return code;
  } finally {
    reaper.kill("SIGKILL");
  }
}

/** Waits for the end of its input: ours. Then it kills the process group of the program, which has the command in it. */
const reaperScript = 'read -r group && { read -r end || kill -KILL "-$group"; }';

/**
 * Starts a program, and waits for its end. A signal that comes meanwhile goes to all of its session that are in the process namespace; as
 * long as none is, to those that are on the way there.
 * @param sessionIn finds the session's number among all processes
 */
async function runWithSignals(
  start: () => ChildProcess,
  sessionIn: (child: ChildProcess, processes: readonly Process[]) => number | undefined,
): Promise<number> {
  let child: ChildProcess | undefined;
  const pass = (signal: NodeJS.Signals): void => {
    const processes = listProcesses();
    const session = child && sessionIn(child, processes);
    const members = processes.filter((one) => one.session === session);
    if (members.length === 0) child?.kill(signal);
    const inside = members.filter(({ pid }) => isInNamespace(pid));
    const meant = inside.length > 0 ? inside : members;
    // Parents first: a shell that has a signal still to take by itself does not just follow a child that died of it.
    for (const { pid } of meant.toSorted((a, b) => Number(a.started) - Number(b.started) || a.pid - b.pid)) send(pid, signal);
  };
  // Before the start: what is started must not outlive us.
  for (const signal of passedSignals) process.on(signal, pass);
  try {
    child = start();
    return await exitCode(child);
  } finally {
    for (const signal of passedSignals) process.off(signal, pass);
  }
}

/** Whether a process has a number of its own in a process namespace below ours. */
function isInNamespace(pid: number): boolean {
  return statusField(readProcess(pid, "status") ?? "", "NSpid").length > 1;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
