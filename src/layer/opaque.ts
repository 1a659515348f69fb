import type { ByteName } from "../base/byte-path.js";
import type { Host } from "../host/host.js";
import { escapeName, parseAttributeDump } from "./attribute-dump.js";

const attribute = "trusted.overlay.opaque";

/**
 * The folders of layers that hide what lower layers have in them: those with `trusted.overlay.opaque` = `y`.
 * @returns for each layer the paths of its opaque folders
 */
export async function opaqueFolders(host: Host, layers: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<ByteName>>> {
  const result = new Map<string, Set<ByteName>>();
  for (const layer of layers) {
    // Relative names from inside the layer: short, and the same wherever it lies.
    const { stdout } = await host.run({
      argv: ["getfattr", "--recursive", "--physical", "--no-dereference", "--dump", `--match=^trusted\\.overlay\\.opaque$`, "."],
      cwd: layer,
      encoding: "latin1",
    });
    result.set(layer, parseDump(stdout));
  }
  return result;
}

/** Marks folders as opaque. */
export async function setOpaque(host: Host, layer: string, folders: readonly ByteName[]): Promise<void> {
  if (folders.length === 0) return;
  const dump = folders.map((folder) => `# file: ${escapeName(`./${folder}`)}\n${attribute}="y"\n\n`).join("");
  await host.run({ argv: ["setfattr", "--no-dereference", "--restore=-"], cwd: layer, input: dump });
}

/** The files of a dump of `getfattr --dump` that have the mark. */
export function parseDump(dump: string): Set<ByteName> {
  const marked = [...parseAttributeDump(dump)].filter(([, attributes]) => attributes.includes(`${attribute}="y"`));
  return new Set(marked.map(([file]) => file.replace(/^\.\/?/, "")));
}
