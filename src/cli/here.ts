import { relative } from "node:path";
import type { Place } from "../base/place.js";

/** A file as seen from the current folder, if it lies there. */
export function here(file: string): string {
  const path = relative(process.cwd(), file);
  return path === "" || path.startsWith("..") ? file : path;
}

export function placeHere({ file, line }: Place): string {
  return `${here(file)}:${line}`;
}
