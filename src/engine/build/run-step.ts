import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../../base/errors.js";
import type { Host } from "../../host/host.js";
import { baseEnvironment } from "../../host/local.js";
import { inOwnNamespaces } from "../../host/namespace.js";
import { mountThen, type OverlayLayers, prepareOverlay } from "../../layer/overlay.js";
import { resolveInRoot, statInRoot } from "../../layer/root-path.js";
import { escapeColons } from "../../settings/colons.js";
import type { Setting } from "../../settings/merge.js";

/** How commands run in an image that is being built. */
export type RunEnvironment = {
  /** A private copy of the host's, undefined if it has none. */
  readonly resolvConf: string | undefined;
  readonly settings: readonly Setting[];
  /** More variables, such as proxies. They may hold a login, and are in no argument. */
  readonly variables: Readonly<Record<string, string>>;
};

/**
 * Runs a command in the image: systemd-nspawn with the host's network, on an overlay that the command's changes go to the upper
 * layer of. It needs no systemd on the host.
 * @param scratch a new folder for the mount
 */
export async function runInImage(
  host: Host,
  scratch: string,
  layers: OverlayLayers,
  argv: readonly string[],
  environment: RunEnvironment,
  onLine: (line: string) => void,
): Promise<void> {
  const overlay = prepareOverlay(scratch, layers);
  const nspawn = ["systemd-nspawn", ...nspawnOptions(overlay.mountPoint, environment), "--", ...argv];
  const env = { ...baseEnvironment(), ...environment.variables };
  await host.run({
    argv: inOwnNamespaces(mountThen(overlay, nspawn)),
    shown: argv,
    env,
    output: onLine,
    onLine,
  });
}

/**
 * Makes a layer with just what systemd-nspawn itself creates in a root that lacks it (mount points, `/bin`, a file to bind
 * resolv.conf to), by starting it for a program that is not there. Work steps then run above this layer, and it is left out of
 * the image, which so holds nothing that the script did not make.
 * @param root where the layers below are mounted
 * @returns whether there is such a layer in `layers.upper`
 */
export async function primeRoot(
  host: Host,
  scratch: string,
  layers: OverlayLayers,
  root: string,
  environment: RunEnvironment,
): Promise<boolean> {
  if (!(await lacksMountPoints(root, environment))) return false;
  try {
    await runInImage(host, scratch, layers, ["/.nspawn-prime"], { ...environment, settings: [] }, () => undefined);
  } catch (error) {
    // That program cannot be started. Whatever else is wrong with the root, the first step will say.
    if (!(error instanceof CommandError)) throw error;
  }
  return true;
}

/** The private copy of resolv.conf: the command may write to it, and neither host nor image changes. */
export async function copyResolvConf(folder: string): Promise<string | undefined> {
  const content = await readFile("/etc/resolv.conf").catch(() => undefined);
  if (content === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  const path = join(folder, "resolv.conf");
  await writeFile(path, content, { mode: 0o644 });
  return path;
}

function nspawnOptions(root: string, { resolvConf, settings, variables }: RunEnvironment): readonly string[] {
  return [
    "--quiet",
    `--directory=${root}`,
    // The same for every build: it is the host name inside, and may get into what a command writes.
    "--machine=nspawn-build",
    "--register=no",
    "--keep-unit",
    "--as-pid2",
    "--console=pipe",
    "--settings=no",
    // Nothing in a build needs device nodes of its own, and those of disks would open the host.
    "--drop-capability=CAP_MKNOD",
    // The defaults of these write into the image.
    "--link-journal=no",
    "--timezone=off",
    "--resolv-conf=off",
    ...(resolvConf === undefined ? [] : [`--bind=${escapeColons(resolvConf)}:/etc/resolv.conf`]),
    // Without a value it is taken from systemd-nspawn's own environment, which other users cannot read. The last one of a name counts.
    ...Object.keys(variables).map((name) => `--setenv=${name}`),
    ...settings.flatMap(({ name, value }) =>
      name === "Environment" ? [`--setenv=${value}`] : name === "WorkingDirectory" ? [`--chdir=${value}`] : [],
    ),
  ];
}

/** What systemd-nspawn makes in a root if it is not there (base_filesystem in systemd's base-filesystem.c, and mount points). */
async function lacksMountPoints(root: string, { resolvConf }: RunEnvironment): Promise<boolean> {
  const needed = ["bin", "dev", "etc", "lib", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var"];
  const has = (path: string): boolean => statInRoot(root, path) !== undefined;
  if (needed.some((path) => !has(path))) return true;
  if (!has("lib64") && (has("usr/lib64") || has("usr/lib/x86_64-linux-gnu"))) return true;
  if (resolvConf === undefined) return false;
  const target = await resolveInRoot(root, "etc/resolv.conf");
  // Behind a symlink into /run it is made there, in memory.
  return !target.startsWith("run/") && !has(target);
}
