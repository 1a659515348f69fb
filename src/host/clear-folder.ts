import { lstatSync, rmdirSync } from "node:fs";
import type { Host } from "./host.js";

/**
 * Removes a folder with all that is in it, after an interrupt too; what is mounted in it stays. By rm(1): names in a layer may be
 * bytes that are no text, which node:fs cannot remove.
 */
export async function clearFolder(host: Host, folder: string): Promise<void> {
  if (!lstatSync(folder, { throwIfNoEntry: false }) || removedEmpty(folder)) return;
  await host.run({ argv: ["rm", "--recursive", "--force", "--one-file-system", folder], cleansUp: true });
}

/** Often nothing is in it any more, and a program takes longer to start than to remove it. */
function removedEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
