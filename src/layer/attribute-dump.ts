import type { ByteName } from "../base/byte-path.js";

/**
 * Reads what `getfattr --dump` prints: for each file that has attributes their lines, `name=value`, in the order of the dump.
 * ```
 * # file: etc/a\012b
 * trusted.overlay.opaque="y"
 * ```
 */
export function parseAttributeDump(dump: string): ReadonlyMap<ByteName, readonly string[]> {
  const files = new Map<ByteName, string[]>();
  let attributes: string[] = [];
  for (const line of dump.split("\n")) {
    if (line.startsWith("# file: ")) {
      attributes = [];
      files.set(unescapeName(line.slice("# file: ".length)), attributes);
    } else if (line !== "") attributes.push(line);
  }
  return files;
}

/** getfattr writes backslashes, and bytes that could break its lines, as `\` and three octal digits. */
function unescapeName(name: ByteName): ByteName {
  return name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A name as `setfattr --restore` takes it. */
export function escapeName(name: ByteName): string {
  return name.replace(/[^!-[\]-~]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
