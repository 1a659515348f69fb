import { readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";
import { attempt } from "../host/files.js";
import { lookBelow } from "./below.js";
import { clearOpaque, isOpaque } from "./opaque.js";

/**
 * Takes the marks from those folders of a layer that hide nothing: the kernel marks every new folder, as an optimization (ovl_create_upper in
 * fs/overlayfs/dir.c). What is seen stays the same; without this, each later flatten() of a PUSH would have to copy the folders.
 * Where one cannot be looked at, as for a path that is too long with the store's before it, the rest stay: all of that is only to save time.
 * @param layer root folder of a layer that is not mounted, and was not kept yet
 * @param below root folders of the layers below, from the top down
 */
export function clearIdleMarks(layer: string, below: readonly string[]): void {
  attempt(() => clearMarksIn(layer, below, ""));
}

function clearMarksIn(layer: string, below: readonly string[], folder: ByteName): void {
  for (const entry of readdirSync(bytePath(layer, folder), { withFileTypes: true, encoding: "latin1" })) {
    if (!entry.isDirectory()) continue;
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const path = bytePath(layer, name);
    const { covers, folders } = lookBelow(name, below);
    const hides = isOpaque(path);
    if (hides && !covers) clearOpaque(path);
    clearMarksIn(layer, hides ? [] : folders, name);
  }
}
