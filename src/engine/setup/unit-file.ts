import { rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, hasCode, NspawnError } from "../../base/errors.js";
import { readIfThere, writeWhole } from "../../host/files.js";
import type { Host } from "../../host/host.js";
import type { Systemd } from "../../host/systemd.js";
import type { MachinePaths } from "../../machine/paths.js";
import { unitMark } from "../../machine/unit.js";
import type { SetupContext } from "../context.js";

/**
 * The unit file of a machine as it is now, undefined if there is none.
 * @throws NspawnError if the name belongs to a service that is no machine of ours
 */
export async function currentUnit(systemd: Systemd, paths: MachinePaths): Promise<string | undefined> {
  const text = await readIfThere(paths.unit);
  if (text !== undefined && !text.startsWith(unitMark)) throw foreign(paths.service, paths.unit);
  const { fragment } = await systemd.state(paths.service);
  if (text === undefined && fragment !== "" && fragment !== paths.unit) throw foreign(paths.service, fragment);
  return text;
}

function foreign(service: string, path: string): NspawnError {
  return new NspawnError(`${service} is no machine of nspawn: ${path} was not written by it`, {
    hint: "give the machine another name in MACHINE",
  });
}

/** Asks systemd whether a unit is right, before it is installed. */
export async function verifyUnit({ host, store }: SetupContext, service: string, text: string): Promise<void> {
  await store.whileTemporary(async (folder) => {
    const path = join(folder, service);
    await writeWhole(path, text);
    await verify(host, path, service);
  });
}

async function verify(host: Host, path: string, service: string): Promise<void> {
  try {
    await host.run({ argv: ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", "--", path] });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new NspawnError(`systemd refuses the unit ${service}`, {
      cause: error,
      hint: "check unitConf, serviceConf, installConf and the template of MACHINE",
    });
  }
}

export async function installUnit(systemd: Systemd, paths: MachinePaths, text: string): Promise<void> {
  await writeWhole(paths.unit, text);
  await systemd.reload();
}

/** Removes the unit and all that the machine had: its writable layer and its mount point. */
export async function removeUnit(host: Host, systemd: Systemd, paths: MachinePaths): Promise<void> {
  await unlink(paths.unit);
  await systemd.reload();
  await systemd.resetFailed(paths.service);
  await clearRuntime(host, paths);
  // Not by force: should something be mounted there still, it has to stay.
  await rmdir(paths.root).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT")) throw error;
  });
}

/** Removes what the machine has written. */
export async function clearRuntime(host: Host, paths: MachinePaths): Promise<void> {
  await host.run({ argv: ["rm", "--recursive", "--force", "--one-file-system", paths.runtime] });
}
