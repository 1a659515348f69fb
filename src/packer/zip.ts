import { CommandError, NspawnError } from "../base/errors.js";
import type { Host } from "../host/host.js";

/**
 * Extracts a zip archive into a folder by unzip(1): with modes, set-uid bits, times and symlinks.
 * @param archive path of the archive, which cannot be a stream: its list of files is at its end
 * @param origin what it is, for errors
 * @throws NspawnError for an encrypted one, CommandError
 */
export async function extractZip(host: Host, archive: string, origin: string, folder: string): Promise<void> {
  try {
    // -K: set-uid bits too. An empty password: unzip would ask for one.
    await host.run({ argv: ["unzip", "-qq", "-o", "-K", "-P", "", "-d", folder, archive] });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (/password/.test(error.output)) {
      throw new NspawnError(`${origin} is encrypted`, { cause: error, hint: "only archives without a password can be read" });
    }
    // 1: a warning, such as of names with backslashes. But nothing may have been left out.
    if (error.code !== 1 || /skipp/.test(error.output)) throw error;
  }
}
