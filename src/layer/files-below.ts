import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { type ByteName, bytePath } from "../base/byte-path.js";

/** A file or folder, as lstat(2) has it. `name`: below a root. */
export type FileBelow = { readonly name: ByteName; readonly path: Buffer; readonly stats: BigIntStats };

/** All that is below a root, in the order of the names in each folder. What is in a folder is found after the folder itself was looked at. */
export function* filesBelow(root: string, folder: ByteName = ""): Generator<FileBelow> {
  for (const child of readdirSync(bytePath(root, folder), { encoding: "latin1" }).sort()) {
    const name = folder === "" ? child : `${folder}/${child}`;
    const path = bytePath(root, name);
    const stats = lstatSync(path, { bigint: true });
    yield { name, path, stats };
    if (stats.isDirectory()) yield* filesBelow(root, name);
  }
}
