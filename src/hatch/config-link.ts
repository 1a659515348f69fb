import { readlink } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../base/errors.js";
import { removeFile } from "../host/files.js";

/** Files in it are read by all commands (`config/path_list`). */
const configFolder = "/etc/nspawn/config.d";

/**
 * Takes a service's part of the configuration away, which has no meaning without it: its proxy, or its login. That part is a symlink to
 * a file among the service's own, which stays. What is no symlink is the administrator's.
 */
export async function dropConfig(machine: string, folder = configFolder): Promise<void> {
  const link = join(folder, `${machine}.ini`);
  try {
    await readlink(link);
  } catch (error) {
    if (hasCode(error, "ENOENT", "EINVAL", "ENOTDIR")) return;
    throw error;
  }
  await removeFile(link);
}
