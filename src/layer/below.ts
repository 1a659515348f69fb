import { lstatSync, type Stats } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";
import { isOpaque } from "./opaque.js";

/** What layers show at a path: whether anything, and those of them whose folders there merge into what is seen, from the top down. */
type Shown = { readonly covers: boolean; readonly folders: readonly string[] };

/**
 * Looks what an overlay of layers would show at a path (ovl_lookup in fs/overlayfs/namei.c); to mount one takes longer.
 * @param below the layers whose folder that it lies in shows through, from the top down
 */
export function lookBelow(path: ByteName, below: readonly string[]): Shown {
  const folders: string[] = [];
  for (const layer of below) {
    const at = bytePath(layer, path);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats) continue;
    if (!stats.isDirectory()) return { covers: folders.length > 0 || !isWhiteoutDevice(stats), folders };
    folders.push(layer);
    if (isOpaque(at)) break;
  }
  return { covers: folders.length > 0, folders };
}

/** Overlayfs marks a deleted file by a character device 0:0 (Documentation/filesystems/overlayfs.rst). */
export function isWhiteoutDevice(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
