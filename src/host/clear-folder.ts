import { lstatSync } from "node:fs";
import type { Host } from "./host.js";

/**
 * Removes a folder with all that is in it, after an interrupt too; what is mounted in it stays. By rm(1): names in a layer may be
 * bytes that are no text, which node:fs cannot remove.
 */
export async function clearFolder(host: Host, folder: string): Promise<void> {
  if (!lstatSync(folder, { throwIfNoEntry: false })) return;
  await host.run({ argv: ["rm", "--recursive", "--force", "--one-file-system", folder], cleansUp: true });
}
