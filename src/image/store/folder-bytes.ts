import { lstat } from "node:fs/promises";
import type { Host } from "../../host/host.js";

/** Bytes that a file or folder takes on disk, with all that is in it; none if it is not there, or not for this user to see. */
export async function folderBytes(host: Host, path: string): Promise<number> {
  if (!(await lstat(path).catch(() => undefined))) return 0;
  const { stdout } = await host.run({ argv: ["du", "--summarize", "--one-file-system", "--block-size=1", path] });
  return Number.parseInt(stdout, 10);
}
