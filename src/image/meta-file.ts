import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { NspawnError } from "../base/errors.js";
import { decodeUtf8 } from "../base/utf8.js";
import { maxMetaBytes, metaFile } from "./meta.js";

/**
 * The text of the metadata file in the root of an image, undefined if it has none.
 * @param origin what the image is, for errors
 * @throws NspawnError if it is no small text
 */
export async function readMetaFile(folder: string, origin = folder): Promise<string | undefined> {
  const path = join(folder, metaFile);
  const stat = await lstat(path).catch(() => undefined);
  if (!stat) return undefined;
  // A symlink would be read on this host, not in the image.
  if (!stat.isFile() || stat.size > maxMetaBytes) throw new NspawnError(`the image ${origin} has a wrong ${metaFile}: it is no small file`);
  const text = decodeUtf8(await readFile(path));
  if (text === undefined) throw new NspawnError(`the image ${origin} has a wrong ${metaFile}: it is no text in UTF-8`);
  return text;
}
