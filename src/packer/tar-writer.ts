import type { ByteName } from "../base/byte-path.js";
import { blockSize } from "./tar-header.js";

/** A member to write. `time`: of change, in seconds; `bytes`: of content, which follows its header. */
export type NewMember = {
  readonly kind: "file" | "folder" | "symlink";
  readonly name: ByteName;
  readonly link?: ByteName;
  readonly mode: number;
  readonly time: number;
  readonly bytes: number;
};

/** The header blocks of a member of root's, in the POSIX format (pax): what does not fit into a header goes before it. */
export function writeHeader({ kind, name, link = "", mode, time, bytes }: NewMember): Buffer {
  const pax = [
    ...(name.length > nameLength ? [paxRecord("path", name)] : []),
    ...(link.length > nameLength ? [paxRecord("linkpath", link)] : []),
    ...(bytes > mostOctal ? [paxRecord("size", String(bytes))] : []),
  ].join("");
  const extended = pax === "" ? [] : [block("x", { name: "./PaxHeaders", link: "", mode: 0o644, time: 0, bytes: pax.length }), padded(pax)];
  const type = ({ file: "0", symlink: "2", folder: "5" } as const)[kind];
  return Buffer.concat([...extended, block(type, { name, link, mode, time, bytes: bytes > mostOctal ? 0 : bytes })]);
}

/** What fills the last block of a content. */
export function paddingOf(bytes: number): Buffer {
  return Buffer.alloc((blockSize - (bytes % blockSize)) % blockSize);
}

/** What stands at the end of an archive. */
export const endMark = Buffer.alloc(2 * blockSize);

const nameLength = 100;
/** The most that eleven octal digits hold. */
const mostOctal = 8 ** 11 - 1;

function block(type: string, { name, link, mode, time, bytes }: Required<Omit<NewMember, "kind">>): Buffer {
  const head = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, length: number): void => {
    head.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  head.write(name, 0, nameLength, "latin1");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(Math.min(Math.max(0, Math.floor(time)), mostOctal), 136, 12);
  head.write(type, 156, "latin1");
  head.write(link, 157, nameLength, "latin1");
  head.write("ustar\x0000", 257, "latin1");
  head.fill(" ", 148, 156);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return head;
}

/** `LENGTH KEY=VALUE\n`; the length counts its own digits. */
function paxRecord(key: string, value: ByteName): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length++;
  return `${length}${rest}`;
}

function padded(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([bytes, paddingOf(bytes.length)]);
}
