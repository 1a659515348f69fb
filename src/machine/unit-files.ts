import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../base/errors.js";
import { type HostFolders, hostFolders } from "./paths.js";
import { unitMark } from "./unit-mark.js";

/** The unit of a machine of ours, as it is installed. */
export type UnitFile = { readonly name: string; readonly path: string; readonly text: string };

/**
 * The units of all machines of ours, in the order of their names. One after the other: that takes a tenth of the time that it does at once.
 * @param folders other than on a host only in tests
 */
export function findUnits({ units }: Pick<HostFolders, "units"> = hostFolders): readonly UnitFile[] {
  return filesIn(units)
    .filter((file) => file.endsWith(".service"))
    .flatMap((file) => unitIn(units, file) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** A link to a unit, as Alias= makes it, has another name than the machine, and is no machine. */
function unitIn(folder: string, file: string): UnitFile | undefined {
  const [path, name] = [join(folder, file), file.slice(0, -".service".length)];
  try {
    const text = readFileSync(path, "utf8");
    return text.startsWith(`${unitMark} ${name}\n`) ? { name, path, text } : undefined;
  } catch (error) {
    // Units that only root may read are none of ours, which all may read.
    if (hasCode(error, "ENOENT", "EACCES", "EISDIR", "ELOOP")) return undefined;
    throw error;
  }
}
