import type { ChildProcess } from "node:child_process";
import { builtin } from "../base/builtin.js";
import { exitCode } from "./exit-code.js";
import type { Argv } from "./host.js";
import { baseEnvironment } from "./local.js";
import { programPath } from "./programs.js";

/**
 * Runs a program in our place: it has our input, output and terminal, so that Ctrl-C and the like reach it, and SIGTERM and SIGHUP are passed
 * on to it. It is killed when this process dies, in whatever way.
 * @returns the exit code, 128 and the signal's number if a signal ended it, as shells have it
 * @throws MissingProgramError
 */
export async function runInForeground([program, ...args]: Argv): Promise<number> {
  const argv = ["--pdeathsig", "KILL", programPath(program), ...args];
  const child = builtin("node:child_process").spawn(programPath("setpriv"), argv, {
    stdio: "inherit",
    env: { ...baseEnvironment(), ...terminalEnvironment() },
  });
  const released = passSignals(child);
  try {
    return await exitCode(child);
  } finally {
    released();
  }
}

/** Returns what ends it. */
function passSignals(child: ChildProcess): () => void {
  // The terminal has told the program itself of Ctrl-C: what that means is up to it.
  const ignore = (): void => undefined;
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", ignore);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, pass);
  return () => {
    process.off("SIGINT", ignore);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, pass);
  };
}

/** What tells a program of the terminal and of its user's habits; no other variable, which may be secret. */
function terminalEnvironment(): Readonly<Record<string, string>> {
  const names = ["TERM", "COLORTERM", "NO_COLOR", "LANG", "TZ", "SYSTEMD_COLORS", "SYSTEMD_URLIFY"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
