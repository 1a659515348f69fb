import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { NspawnError, UsageError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { readIfThere } from "../../host/files.js";
import { isSystemdHost } from "../../host/systemd.js";
import { type RunningMachine, runningMachines } from "../../machine/leader.js";
import { hostFolders } from "../../machine/paths.js";
import { findUnits } from "../../machine/unit-files.js";
import { checkMachineName } from "../../plan/machine-name.js";

/**
 * Finds a machine that runs, of ours or not.
 * @throws UsageError for what is no name of a machine, NspawnError that says what there is instead
 */
export async function findMachine(name: string): Promise<RunningMachine> {
  const running = runningMachines();
  const found = running.find((machine) => machine.name === name);
  if (found) return found;
  const wrong = checkMachineName(name);
  if (wrong === undefined) throw (await notRunning(name)) ?? (await notThere(name, running));
  // A part of a name need not be one.
  const isPart = name !== "" && (await machineNames(running)).some((known) => known.includes(name));
  throw isPart ? await notThere(name, running) : new UsageError(wrong);
}

/** The names of all machines that run, or could. */
async function machineNames(running: readonly RunningMachine[] = runningMachines()): Promise<readonly string[]> {
  const [units, folders] = await Promise.all([findUnits(), foldersOfMachines()]);
  return [...new Set([...running, ...units].map((machine) => machine.name).concat(folders))].sort();
}

/** The error for a machine that is there, or for a service that is none. */
async function notRunning(name: string): Promise<NspawnError | undefined> {
  const message = `the machine ${name} is not running`;
  const service = await unitText(`${name}.service`);
  if (service?.includes("systemd-nspawn")) {
    return new NspawnError(message, { hint: `systemctl start ${name}.service starts it; systemctl status ${name}.service says how it is` });
  }
  if ((await foldersOfMachines()).includes(name)) {
    const hint = isSystemdHost() ? `machinectl start ${name}` : "this host does not run systemd: start it by systemd-nspawn";
    return new NspawnError(message, { hint });
  }
  if (service === undefined) return undefined;
  return new NspawnError(`${name}.service is no machine: it does not run systemd-nspawn`, { hint: await listHint() });
}

/** The error for a name that nothing has: it may be mistyped, or a part of one. */
async function notThere(name: string, running: readonly RunningMachine[]): Promise<NspawnError> {
  const names = await machineNames(running);
  const word = name.replace(/\.service$/, "");
  const parts = names.filter((known) => known.includes(word));
  const [first] = parts;
  const hint =
    parts.length > 1 ? `names with ${word} in them: ${parts.join(", ")}` : first ? `did you mean ${first}?` : didYouMean(word, names);
  return new NspawnError(`there is no machine ${name} on this host`, { hint: hint ?? (await listHint(names)) });
}

async function listHint(names?: readonly string[]): Promise<string> {
  const known = names ?? (await machineNames());
  return known.length === 0 ? "there are no machines on this host" : `the machines of this host: ${known.join(", ")}`;
}

/** Where units lie, the first that has one wins: systemd.unit(5). */
const unitFolders = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

async function unitText(unit: string): Promise<string | undefined> {
  const path = unitFolders.map((folder) => join(folder, unit)).find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : readIfThere(path);
}

/** Machines of machinectl(1): folders, and images in files. */
async function foldersOfMachines(): Promise<readonly string[]> {
  const names = await readdir(hostFolders.machines).catch(() => []);
  return names.map((name) => name.replace(/\.raw$/, "")).filter((name) => !name.startsWith("."));
}
