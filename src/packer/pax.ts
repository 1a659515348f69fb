import type { ByteName } from "../base/byte-path.js";
import { Flaw } from "./archive-error.js";

/** What a pax header says of a member that decides where and how much of it is written; the rest is for tar. */
export type PaxFields = {
  readonly path?: ByteName;
  readonly linkpath?: ByteName;
  readonly size?: number;
  readonly sparse?: PaxSparse;
};

/** A sparse file of GNU tar. `map`: sizes of its parts that are data, in version 0; in version 1 they are before the data. */
type PaxSparse = { readonly version: 0; readonly map: readonly number[] } | { readonly version: 1 };

/**
 * Reads the records of a pax header: `LENGTH KEY=VALUE\n`, the length in decimal, of all of it.
 * @param global for all members that follow; what is said of one member has no place there
 * @throws Flaw where it is malformed, or says something twice
 */
export function readPax(content: Buffer, { global }: { readonly global: boolean }): PaxFields {
  const fields = new Map<string, ByteName>();
  const numbytes: number[] = [];
  for (let at = 0; at < content.length; ) {
    const { key, value, end } = record(content, at);
    at = end;
    if (!deciding.test(key)) continue;
    checkRecord(key, value, global);
    // The one key that stands for itself each time, before version 0.1 (GNU tar manual, "Storing Sparse Files").
    if (key === "GNU.sparse.numbytes") numbytes.push(decimal(value, key));
    else if (key !== "GNU.sparse.offset" && fields.size === fields.set(key, value).size)
      throw new Flaw(`has a pax header that says ${key} twice`);
  }
  const size = fields.get("size");
  const path = fields.get("GNU.sparse.name") ?? fields.get("path");
  const linkpath = fields.get("linkpath");
  const sparse = sparseOf(fields, numbytes);
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkpath === undefined ? {} : { linkpath }),
    ...(size === undefined ? {} : { size: decimal(size, "size") }),
    ...(sparse ? { sparse } : {}),
  };
}

function checkRecord(key: string, value: ByteName, global: boolean): void {
  const foreign = /^GNU\.(dumpdir|volume\.(filename|size|offset))$/.test(key);
  if (foreign || (global && key !== "GNU.volume.label")) throw new Flaw(`has a pax header with ${key}, which cannot be read`);
  if (value.includes("\0")) throw new Flaw(`has a pax header with a NUL in ${key}`);
}

const deciding = /^(path|linkpath|size|GNU\..*)$/;

function record(content: Buffer, at: number): { readonly key: string; readonly value: ByteName; readonly end: number } {
  const space = content.indexOf(0x20, at);
  const digits = content.toString("latin1", at, space);
  const end = space > at && space - at <= 8 && /^[0-9]+$/.test(digits) ? at + Number(digits) : 0;
  const equals = content.indexOf(0x3d, space);
  if (end > content.length || equals < 0 || equals >= end || content[end - 1] !== 0x0a) throw new Flaw("has a malformed pax header");
  return { key: content.toString("latin1", space + 1, equals), value: content.toString("latin1", equals + 1, end - 1), end };
}

function sparseOf(fields: ReadonlyMap<string, ByteName>, numbytes: readonly number[]): PaxSparse | undefined {
  const says = (key: string): boolean => fields.has(`GNU.sparse.${key}`);
  const map = fields.get("GNU.sparse.map");
  if (says("major")) {
    const version = `${fields.get("GNU.sparse.major")}.${fields.get("GNU.sparse.minor")}`;
    if (version !== "1.0" || map !== undefined || says("numblocks") || numbytes.length > 0)
      throw new Flaw("is a sparse file of an unknown kind");
    return { version: 1 };
  }
  if (map !== undefined && numbytes.length > 0) throw new Flaw("has two maps of a sparse file");
  const parts = map === undefined ? numbytes : sizesIn(map);
  const blocks = fields.get("GNU.sparse.numblocks");
  if (blocks === undefined && parts.length === 0 && !["size", "realsize", "name", "minor"].some(says)) return undefined;
  // A size alone would make tar read another number of bytes than there are.
  if (parts.length === 0 || decimal(blocks ?? "", "GNU.sparse.numblocks") !== parts.length)
    throw new Flaw("has a wrong map of a sparse file");
  return { version: 0, map: parts };
}

/** `OFFSET,SIZE,OFFSET,SIZE…` */
function sizesIn(map: string): readonly number[] {
  const numbers = map.split(",").map((number) => decimal(number, "GNU.sparse.map"));
  if (numbers.length % 2 !== 0) throw new Flaw("has a wrong map of a sparse file");
  return numbers.filter((_, index) => index % 2 === 1);
}

function decimal(text: string, key: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new Flaw(`has a pax header with a wrong ${key}`);
}
