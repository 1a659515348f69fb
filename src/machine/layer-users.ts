import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { LayerUser } from "../image/inventory.js";
import { type HostFolders, hostFolders } from "./paths.js";
import { unitMark } from "./unit-mark.js";

/**
 * Finds which machines use which layers: by their units, by the units that an update has set aside, and by what is mounted now. What
 * this user may not read counts as not there.
 * @param folders other than on a host only in tests
 */
export async function layerUsers({ storage }: Pick<Config, "storage">, folders: HostFolders = hostFolders): Promise<readonly LayerUser[]> {
  const [units, previous, mounts] = await Promise.all([
    textsIn(folders.units, /\.service$/),
    textsIn(storage.runtime, /^\..*\.previous\.service$/),
    readFile("/proc/self/mountinfo", "utf8"),
  ]);
  const uses = [
    ...[...units, ...previous].flatMap((text) => unitUse(text) ?? []),
    ...mounts.split("\n").flatMap((line) => mountUse(line) ?? []),
  ];
  const layers = new Map<string, Set<string>>();
  for (const { machine, layers: ids } of uses) {
    const known = layers.get(machine) ?? new Set();
    for (const id of ids) known.add(id);
    layers.set(machine, known);
  }
  return [...layers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([machine, ids]) => ({ machine, layers: [...ids].sort() }));
}

/** The layers that a unit of ours names, in whatever way its template does that; undefined for other units. */
export function unitUse(text: string): LayerUser | undefined {
  if (!text.startsWith(unitMark)) return undefined;
  const machine = text.slice(unitMark.length, text.indexOf("\n")).trim();
  return { machine, layers: layerIdsIn(text) };
}

/** The layers of a mounted machine, by a line of proc_pid_mountinfo(5): the overlay's source is `nspawn-<machine>`. */
export function mountUse(line: string): LayerUser | undefined {
  const [, , source = "", options = ""] = /^.* - (overlay) (\S+) (\S+)$/.exec(line) ?? [];
  const machine = /^nspawn-(.+)$/.exec(source)?.[1];
  return machine === undefined ? undefined : { machine, layers: layerIdsIn(options) };
}

/** Ids stand alone, at the end of a path, or as the start of a digest. A word that only looks like one does no harm. */
function layerIdsIn(text: string): readonly string[] {
  const alone = text.match(/(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])/g) ?? [];
  const digests = [...text.matchAll(/sha256:([0-9a-f]{16})/g)].map(([, id = ""]) => id);
  return [...new Set([...alone, ...digests])];
}

async function textsIn(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const unlessClosed = (error: unknown): undefined => {
    if (!hasCode(error, "ENOENT", "EACCES", "EISDIR")) throw error;
  };
  const names = (await readdir(folder).catch(unlessClosed)) ?? [];
  const texts = await Promise.all(
    names.filter((name) => pattern.test(name)).map((name) => readFile(join(folder, name), "utf8").catch(unlessClosed)),
  );
  return texts.filter((text) => text !== undefined);
}
