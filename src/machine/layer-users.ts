import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../base/errors.js";
import type { Config } from "../config/config.js";
import type { LayerUser } from "../image/inventory.js";
import { generationsFolder, type HostFolders, hostFolders } from "./paths.js";
import { unitMark } from "./unit-mark.js";

/**
 * Finds which machines use which layers: by their units, by those of the generations that they may go back to, and by what is mounted
 * now. What this user may not read counts as not there. A layer that only an older generation has is used by `web, generation 4`.
 * @param folders other than on a host only in tests
 */
export async function layerUsers({ storage }: Pick<Config, "storage">, folders: HostFolders = hostFolders): Promise<readonly LayerUser[]> {
  const [units, kept, mounts] = await Promise.all([
    textsIn(folders.units, /\.service$/),
    generationUses(generationsFolder(storage)),
    readFile("/proc/self/mountinfo", "utf8"),
  ]);
  const now = [...units.flatMap((text) => unitUse(text) ?? []), ...mounts.split("\n").flatMap((line) => mountUse(line) ?? [])];
  const layers = new Map<string, Set<string>>();
  const add = (user: string, ids: readonly string[]): void => void layers.set(user, new Set([...(layers.get(user) ?? []), ...ids]));
  for (const { machine, layers: ids } of now) add(machine, ids);
  for (const { machine, number, layers: ids } of kept) {
    const own = ids.filter((id) => !layers.get(machine)?.has(id));
    if (own.length > 0) add(`${machine}, generation ${number}`, own);
  }
  return [...layers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([machine, ids]) => ({ machine, layers: [...ids].sort() }));
}

/** The layers that a unit of ours names, in whatever way its template does that; undefined for other units. */
export function unitUse(text: string): LayerUser | undefined {
  if (!text.startsWith(unitMark)) return undefined;
  const machine = text.slice(unitMark.length, text.indexOf("\n")).trim();
  return { machine, layers: layerIdsIn(text) };
}

/** What the units of all generations name. */
async function generationUses(folder: string): Promise<readonly (LayerUser & { readonly number: string })[]> {
  const machines = await namesIn(folder);
  const uses = machines.map(async (machine) => {
    const numbers = (await namesIn(join(folder, machine))).filter((name) => /^\d+$/.test(name));
    return Promise.all(
      numbers.map(async (number) => {
        const [text] = await textsIn(join(folder, machine, number), /^unit$/);
        return text === undefined ? [] : { machine, number, layers: layerIdsIn(text) };
      }),
    );
  });
  return (await Promise.all(uses)).flat(2);
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
  const names = (await namesIn(folder)).filter((name) => pattern.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(unlessClosed)));
  return texts.filter((text) => text !== undefined);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(unlessClosed)) ?? [];
}

function unlessClosed(error: unknown): undefined {
  if (!hasCode(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR")) throw error;
}
