import type { ByteName } from "../base/byte-path.js";
import type { Host } from "../host/host.js";

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

/**
 * Reads what `getfattr --dump` prints:
 * ```
 * # file: etc/a\012b
 * trusted.overlay.opaque="y"
 * ```
 */
export function parseDump(dump: string): Set<ByteName> {
  const folders = new Set<ByteName>();
  let file: string | undefined;
  for (const line of dump.split("\n")) {
    if (line.startsWith("# file: ")) file = unescapeName(line.slice("# file: ".length)).replace(/^\.\/?/, "");
    else if (line === `${attribute}="y"` && file !== undefined) folders.add(file);
  }
  return folders;
}

/** getfattr writes backslashes, and bytes that could break its lines, as `\` and three octal digits. */
function unescapeName(name: ByteName): ByteName {
  return name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function escapeName(name: ByteName): string {
  return name.replace(/[^!-[\]-~]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
