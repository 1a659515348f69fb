import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { bytePath } from "../base/byte-path.js";
import type { Host } from "./host.js";

/**
 * Removes a folder with all that is in it, after an interrupt too; what is mounted in it stays. By rm(1): names in a layer may be
 * bytes that are no text, which node:fs cannot remove.
 */
export async function clearFolder(host: Host, folder: string): Promise<void> {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats || (stats.isDirectory() && isRemoved(folder))) return;
  await host.run({ argv: ["rm", "--recursive", "--force", "--one-file-system", folder], cleansUp: true });
}

/** Often there is nothing in it, or a file or two, and a program takes longer to start than to remove them. */
function isRemoved(folder: string): boolean {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, encoding: "latin1" });
    if (entries.length > few) return false;
    for (const entry of entries) {
      const path = bytePath(folder, entry.name);
      // Neither removes what is mounted there.
      if (entry.isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    }
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

const few = 20;
