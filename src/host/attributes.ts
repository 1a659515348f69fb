import { constants } from "node:os";
import type { ByteName } from "../base/byte-path.js";
import { check, libc, systemError } from "./libc.js";

/**
 * Names of the extended attributes of a file, a folder or a symlink itself, ACLs among them (`system.posix_acl_access`), in the kernel's order; none where
 * the file system has no such thing. See xattr(7).
 * @throws an error of the system
 */
export function attributeNames(path: Buffer): readonly ByteName[] {
  const bytes = lengthOf("llistxattr", libc().llistxattr(ended(path), memory, memory.length), path) ?? 0;
  return bytes === 0 ? [] : memory.toString("latin1", 0, bytes - 1).split("\0");
}

/** Value of an attribute; undefined if it is not there. Throws as {@link attributeNames} does. */
export function readAttribute(path: Buffer, name: ByteName): Buffer | undefined {
  const bytes = lengthOf("lgetxattr", libc().lgetxattr(ended(path), named(name), memory, memory.length), path);
  return bytes === undefined ? undefined : Buffer.from(memory.subarray(0, bytes));
}

/** Sets an attribute, whether it is there or not. */
export function setAttribute(path: Buffer, name: ByteName, value: Buffer): void {
  check("lsetxattr", libc().lsetxattr(ended(path), named(name), value, value.length, 0), path);
}

/** Takes an attribute away; an error of the system, ENODATA, if it is not there. */
export function removeAttribute(path: Buffer, name: ByteName): void {
  check("lremovexattr", libc().lremovexattr(ended(path), named(name)), path);
}

/**
 * Sets when the content of a file or folder was changed last, in nanoseconds since 1970: what Node takes are seconds with a fraction, which hold fewer.
 * A processor of 32 bits holds times from 1901 to 2038; others become the one that is nearest.
 */
export function setChanged(path: Buffer, nanoseconds: bigint): void {
  const { longSize, utimensat } = libc();
  const times = Buffer.alloc(4 * longSize);
  const put = (index: number, value: bigint): void => {
    if (longSize === 8) times.writeBigInt64LE(value, index * 8);
    else times.writeInt32LE(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Number(value))), index * 4);
  };
  // Seconds go down to whole ones before 1970, too.
  const rest = ((nanoseconds % second) + second) % second;
  put(1, leaveOut);
  put(2, (nanoseconds - rest) / second);
  put(3, rest);
  check("utimensat", utimensat(currentFolder, ended(path), times, withoutFollowing), path);
}

/** What is as large as the kernel has names, or a value, at most: XATTR_LIST_MAX and XATTR_SIZE_MAX, linux/limits.h. */
const memory = Buffer.allocUnsafeSlow(1 << 16);

/** A path as the C library takes it, good until the next one: there may be as many as there are files. */
function ended(path: Buffer): Buffer {
  if (path.length >= pathMemory.length) return Buffer.concat([path, end]);
  pathMemory[path.copy(pathMemory)] = 0;
  return pathMemory;
}

function named(name: ByteName): Buffer {
  if (name.length >= nameMemory.length) return Buffer.from(`${name}\0`, "latin1");
  nameMemory[nameMemory.write(name, "latin1")] = 0;
  return nameMemory;
}

/** What a function has returned; undefined if it has failed since there is no such attribute. Most folders have none: no error is made for that. */
function lengthOf(name: string, result: number, path: Buffer): number | undefined {
  if (result >= 0) return result;
  const number = libc().errno();
  if (number === constants.errno.ENODATA || number === constants.errno.EOPNOTSUPP) return undefined;
  throw systemError(name, number, path.toString());
}

const pathMemory = Buffer.allocUnsafeSlow(1 << 12);
const nameMemory = Buffer.allocUnsafeSlow(1 << 8);
const end = Buffer.alloc(1);
const second = 1_000_000_000n;
/** UTIME_OMIT, AT_FDCWD and AT_SYMLINK_NOFOLLOW, see utimensat(2). */
const leaveOut = 0x3ffffffen;
const currentFolder = -100;
const withoutFollowing = 0x100;
