/** Bytes as text, or undefined if they are no text in UTF-8, or have a NUL, which no text has. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return bytes.includes(0) || !Buffer.from(text).equals(bytes) ? undefined : text;
}
