import { builtin } from "./builtin.js";

/** SHA-256 in 64 hexadecimal digits; of a text, that of its UTF-8. */
export function sha256(content: string | Buffer): string {
  return builtin("node:crypto").createHash("sha256").update(content).digest("hex");
}
