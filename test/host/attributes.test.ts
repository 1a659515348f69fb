import { lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import { attributeNames, readAttribute, removeAttribute, setAttribute, setChanged } from "../../src/host/attributes.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const file = (folder: string): Buffer => {
  writeFileSync(join(folder, "f"), "");
  return bytePath(folder, "f");
};

describe("attributes", () => {
  test("a file has none", () => {
    expect(attributeNames(file(tempFolder()))).toEqual([]);
    expect(readAttribute(file(tempFolder()), "user.x")).toBeUndefined();
  });

  test("any value under any name is read as it was set, until it is removed", () => {
    const folder = tempFolder();
    const path = file(folder);
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => `user.${Buffer.from(bytes).toString("latin1").replaceAll("\0", "0")}`);
    fc.assert(
      fc.property(fc.dictionary(name, fc.uint8Array({ maxLength: 60 }), { maxKeys: 4 }), (attributes) => {
        for (const [key, value] of Object.entries(attributes)) setAttribute(path, key, Buffer.from(value));
        expect([...attributeNames(path)].sort()).toEqual(Object.keys(attributes).sort());
        for (const [key, value] of Object.entries(attributes)) {
          expect(readAttribute(path, key)).toEqual(Buffer.from(value));
          removeAttribute(path, key);
        }
        expect(attributeNames(path)).toEqual([]);
      }),
    );
  });

  test("they are what other programs set and see", () => {
    const folder = tempFolder();
    sh(folder, "echo > f; setfattr -n user.text -v 'a b' f; setfattr -n trusted.bytes -v 0x00ff0a f; setfacl -m u:1234:r f");
    const path = bytePath(folder, "f");
    expect([...attributeNames(path)].sort()).toEqual(["system.posix_acl_access", "trusted.bytes", "user.text"]);
    expect(readAttribute(path, "user.text")?.toString()).toBe("a b");
    expect(readAttribute(path, "trusted.bytes")).toEqual(Buffer.from([0, 255, 10]));
    setAttribute(path, "user.more", Buffer.from("more"));
    expect(sh(folder, "getfattr --only-values -n user.more f")).toBe("more");
  });

  test("names of files are bytes", () => {
    const folder = tempFolder();
    for (const name of ["\xff\xfe", toBytes("ünï"), "new\nline"]) {
      const path = bytePath(folder, name);
      writeFileSync(path, "");
      setAttribute(path, "user.x", Buffer.from("1"));
      expect(attributeNames(path)).toEqual(["user.x"]);
    }
  });

  test("a symlink is not followed", () => {
    const folder = tempFolder();
    setAttribute(file(folder), "user.x", Buffer.from("1"));
    symlinkSync("f", join(folder, "link"));
    const link = bytePath(folder, "link");
    expect(attributeNames(link)).toEqual([]);
    // The kernel lets nobody set such ones of a symlink.
    expect(() => setAttribute(link, "user.x", Buffer.from("1"))).toThrow(/EPERM: lsetxattr '.*link'/);
  });

  test("what cannot be done is an error with the file's name", () => {
    const gone = bytePath(tempFolder(), "gone");
    expect(() => attributeNames(gone)).toThrow(/ENOENT: llistxattr '.*gone'/);
    expect(() => readAttribute(gone, "user.x")).toThrow(/ENOENT: lgetxattr '.*gone'/);
    expect(() => removeAttribute(file(tempFolder()), "user.x")).toThrow(/ENODATA: lremovexattr/);
  });

  test("a file system without attributes has none", () => {
    expect(attributeNames(Buffer.from("/proc/self/status"))).toEqual([]);
    expect(readAttribute(Buffer.from("/proc/self/status"), "user.x")).toBeUndefined();
  });
});

describe("setChanged", () => {
  test("to the nanosecond, before 1970 and after 2038, and nothing else", () => {
    const folder = tempFolder();
    const path = file(folder);
    utimesSync(path, 1000, 1000);
    fc.assert(
      fc.property(fc.bigInt({ min: -2_000_000_000n * 1_000_000_000n, max: 8_000_000_000n * 1_000_000_000n }), (time) => {
        setChanged(path, time);
        const { mtimeNs, atimeNs } = lstatSync(path, { bigint: true });
        expect([mtimeNs, atimeNs]).toEqual([time, 1_000_000_000_000n]);
      }),
    );
  });

  test("of a folder and of a symlink itself", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "d"));
    symlinkSync("d", join(folder, "link"));
    setChanged(bytePath(folder, "link"), 5n);
    setChanged(bytePath(folder, "d"), 7n);
    expect(["link", "d"].map((name) => lstatSync(join(folder, name), { bigint: true }).mtimeNs)).toEqual([5n, 7n]);
  });
});
