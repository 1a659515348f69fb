import { expect, inject } from "vitest";
import { bootHost, type DisposableHost, type HostOptions, type RunResult } from "./host.ts";

const project = new URL("../../..", import.meta.url).pathname;

/**
 * A disposable host that has the package, and the Python tool's images at the URLs that they name. Its release of Debian is
 * NSPAWN_TEST_RELEASE: `trixie` and `sid` have newer versions of systemd.
 */
export async function bootMachineHost(name: string, options: Pick<HostOptions, "release" | "networkVeth"> = {}): Promise<DisposableHost> {
  const release = options.release ?? process.env.NSPAWN_TEST_RELEASE;
  const bindRo = [`${inject("prefix")}:/usr/local`, `${project}test/fixtures/python-nspawn:/srv/fix`];
  const host = await bootHost({ ...options, name, bindRo, ...(release === undefined ? {} : { release }) });
  await host.must(["nspawn-setup", "--version"]);
  return host;
}

/** Writes a script into the host, executable, and any files beside it. Returns its path. */
export async function writeScript(host: DisposableHost, path: string, text: string): Promise<string> {
  await host.must(["sh", "-ec", 'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod 755 "$1"', "sh", path], { input: text });
  return path;
}

/** The lines of a setup script, with its first line and its import. */
export function setupScript(...lines: readonly string[]): string {
  return [
    "#!/usr/bin/env nspawn-setup",
    'import { CAST, COPY, EXEC, IMAGE, MACHINE, RUN, SH, WITH } from "nspawn/setup";',
    ...lines,
    "",
  ].join("\n");
}

/** The lines of a build script. */
export function buildScript(...lines: readonly string[]): string {
  return [
    "#!/usr/bin/env nspawn-build",
    'import { BOOTSTRAP, CAST, COPY, EXEC, IMAGE, PULL, PUSH, RUN, SH, WITH } from "nspawn/build";',
    ...lines,
    "",
  ].join("\n");
}

/** Runs a command that has to succeed, and gives all that it printed. */
export async function succeed(host: DisposableHost, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.run(argv);
  expect(code, `${argv.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return stdout + stderr;
}

/** Runs a command that has to fail with a code, and gives all that it printed. */
export async function failWith(host: DisposableHost, code: number, argv: readonly string[]): Promise<string> {
  const result: RunResult = await host.run(argv);
  expect(result.code, `${argv.join(" ")}\n${result.stdout}\n${result.stderr}`).toBe(code);
  return result.stdout + result.stderr;
}

/** Runs a command in a running machine's namespaces, on its root. */
export async function inMachine(host: DisposableHost, machine: string, argv: readonly string[]): Promise<string> {
  const leader = await leaderOf(host, machine);
  return host.must(["nsenter", "-t", leader, "-m", "-u", "-i", "-n", "-p", `-r/proc/${leader}/root`, `-w/proc/${leader}/root`, ...argv]);
}

/** The machine's first process, in the host's numbers: the child of systemd-nspawn. */
export async function leaderOf(host: DisposableHost, machine: string): Promise<string> {
  const main = (await host.must(["systemctl", "show", "--value", "--property=MainPID", `${machine}.service`])).trim();
  return (await host.must(["ps", "-o", "pid=", "--ppid", main])).trim();
}

/** What a host has of machines and of ours: to compare before and after. */
export async function traces(host: DisposableHost): Promise<string> {
  return host.shell(
    "find /etc/systemd/system /var/lib/machines /var/lib/nspawn/runtime /run/systemd/nspawn -mindepth 1 ! -path /run/systemd/nspawn/propagate ! -path /run/systemd/nspawn/unix-export 2>/dev/null | sort; cut -d' ' -f5 /proc/self/mountinfo | sort; systemctl list-units --all --plain --no-legend 'm-*' | cut -d' ' -f1",
  );
}
