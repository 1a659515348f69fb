/** A path as a part of a value such as Bind's: systemd-nspawn splits those at colons, and takes `\\:` for one that is meant. */
export function escapeColons(path: string): string {
  return path.replace(/[\\:]/g, "\\$&");
}

/** Parts between colons; `\\:` and `\\\\` stand for a colon and a backslash. */
export function splitColons(value: string): readonly string[] {
  const parts = [""];
  for (let i = 0; i < value.length; i++) {
    const isEscape = value[i] === "\\" && i + 1 < value.length;
    if (value[i] === ":") parts.push("");
    else parts.push((parts.pop() ?? "") + (isEscape ? value[++i] : value[i]));
  }
  return parts;
}
