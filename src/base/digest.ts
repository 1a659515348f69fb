/** A digest, `sha256:` and 64 hexadecimal digits, short enough to be read. */
export function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}
