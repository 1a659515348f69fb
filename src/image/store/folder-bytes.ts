import { CommandError } from "../../base/errors.js";
import type { Host } from "../../host/host.js";

/**
 * Bytes that a file or folder takes on disk, with all that is in it; none if it is not there, or not for this user to see. What is removed
 * meanwhile, as by another command that cleans up, counts as far as it was seen.
 */
export async function folderBytes(host: Host, path: string): Promise<number> {
  let total = "0";
  const output = (line: string): void => {
    total = line;
  };
  await host.run({ argv: ["du", "--summarize", "--one-file-system", "--block-size=1", path], output }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
  });
  return Number.parseInt(total, 10);
}
