import { chmodSync, chownSync, lstatSync } from "node:fs";
import type { ByteName } from "../base/byte-path.js";
import { attributeNames, readAttribute, removeAttribute, setAttribute, setChanged } from "../host/attributes.js";

/** Whether an attribute is part of an image's content: those that tar takes along. ACLs are among them. */
function travels(name: ByteName): boolean {
  return /^(user\.|security\.capability$|system\.posix_acl_)/.test(name);
}

/** The attributes of a file that travel, by their names, which are sorted; as the kernel has them: ACLs with numbers, since names are of one host. */
export function travelingAttributes(path: Buffer): ReadonlyMap<ByteName, Buffer> {
  const names = attributeNames(path).filter(travels).sort();
  return new Map(
    names.flatMap((name) => {
      const value = readAttribute(path, name);
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** Whether a folder has an ACL or extended attributes that travel. */
export function hasAttributes(folder: string): boolean {
  return attributeNames(Buffer.from(folder)).some(travels);
}

/** Has a folder look like another one: mode, owner, times, ACLs and attributes. */
export function copyLook(from: Buffer, to: Buffer): void {
  const { mode, uid, gid, mtimeNs } = lstatSync(from, { bigint: true });
  chownSync(to, Number(uid), Number(gid));
  chmodSync(to, Number(mode & 0o7777n));
  const wanted = travelingAttributes(from);
  clearAttributes(to, [...wanted.keys()]);
  for (const [name, value] of wanted) setAttribute(to, name, value);
  setChanged(to, mtimeNs);
}

/** Takes those that travel from a folder: it may have inherited an ACL from the one that it lies in. */
export function clearAttributes(folder: Buffer, except: readonly ByteName[] = []): void {
  for (const name of attributeNames(folder)) if (travels(name) && !except.includes(name)) removeAttribute(folder, name);
}
