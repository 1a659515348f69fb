import { type ByteName, toBytes } from "../base/byte-path.js";
import type { Argv, Host } from "../host/host.js";
import { escapeName, parseAttributeDump } from "./attribute-dump.js";

const attribute = "trusted.overlay.opaque";

/** Layer → paths of its opaque folders. */
export type OpaqueFolders = ReadonlyMap<string, ReadonlySet<ByteName>>;

/**
 * The folders of layers that hide what lower layers have in them: those with `trusted.overlay.opaque` = `y`.
 */
export async function opaqueFolders(host: Host, layers: readonly string[]): Promise<OpaqueFolders> {
  const look = ["getfattr", "--physical", "--no-dereference", "--dump", "--absolute-names", `--match=^trusted\\.overlay\\.opaque$`];
  // All at once: to start a program takes longer than to look through most layers. By find, which has the kernel tell what is a folder: to
  // ask for attributes of all files takes four times as long.
  const argv: Argv = ["find", ...layers, "-type", "d", "-exec", ...look, "--", "{}", "+"];
  const { stdout } = layers.length > 0 ? await host.run({ argv, encoding: "latin1" }) : { stdout: "" };
  const marked = opaqueIn(stdout);
  return new Map(layers.map((layer) => [layer, namesBelow(layer, marked)]));
}

/** Names of those that lie in a folder, as seen from there. */
function namesBelow(folder: string, paths: readonly ByteName[]): ReadonlySet<ByteName> {
  const start = toBytes(`${folder}/`);
  return new Set(paths.flatMap((path) => (path.startsWith(start) ? [path.slice(start.length)] : `${path}/` === start ? [""] : [])));
}

/** Marks folders as opaque. */
export async function setOpaque(host: Host, layer: string, folders: readonly ByteName[]): Promise<void> {
  if (folders.length === 0) return;
  const dump = folders.map((folder) => `# file: ${escapeName(`./${folder}`)}\n${attribute}="y"\n\n`).join("");
  await host.run({ argv: ["setfattr", "--no-dereference", "--restore=-"], cwd: layer, input: dump });
}

/** The files of a dump of `getfattr --dump` that have the mark. */
export function opaqueIn(dump: string): readonly ByteName[] {
  return [...parseAttributeDump(dump)].flatMap(([file, attributes]) => (attributes.includes(`${attribute}="y"`) ? [file] : []));
}
