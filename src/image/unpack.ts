import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource } from "../base/byte-source.js";
import { needingRoom } from "../host/disk-room.js";
import type { Host } from "../host/host.js";
import { statInRoot } from "../layer/root-path.js";
import { type Extracted, type ExtractOptions, extractArchive } from "../packer/extract.js";
import { metaFile } from "./meta.js";

/** An archive that was extracted: the root of what is in it, and the archive's own digest and size. */
export type Unpacked = Extracted & { readonly folder: string };

/**
 * Extracts the archive of an image as it comes in. Throws as {@link extractArchive} does.
 * @param origin what it is, for errors
 * @param scratch a folder that is there; the result is a new folder in it
 */
export async function unpack(
  host: Host,
  archive: ByteSource,
  origin: string,
  scratch: string,
  options: Omit<ExtractOptions, "layer" | "once">,
): Promise<Unpacked> {
  const folder = join(scratch, "layer");
  return needingRoom(scratch, async () => {
    await mkdir(folder, { mode: 0o755 });
    // Of two descriptions, a plan would read the first one, and tar leaves the last.
    const extracted = await extractArchive(host, archive, origin, folder, { layer: true, once: metaFile, ...options });
    return { ...extracted, folder: await rootOf(folder) };
  });
}

/** The bootstrap archives of Arch Linux have their root in a folder of its own. */
async function rootOf(folder: string): Promise<string> {
  const nested = "root.x86_64";
  const isFolder = (name: string): boolean => statInRoot(folder, name)?.isDirectory() ?? false;
  // An image that happens to have a folder of this name says what it is at its top.
  if (statInRoot(folder, metaFile) || isFolder("usr") || !isFolder(nested)) return folder;
  const root = `${folder}.root`;
  await rename(join(folder, nested), root);
  return root;
}
