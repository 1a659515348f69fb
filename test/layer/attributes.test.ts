import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytePath } from "../../src/base/byte-path.js";
import { copyLook, hasAttributes, travelingAttributes } from "../../src/layer/attributes.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

describe("travelingAttributes", () => {
  test("those that tar takes along, in the order of their names", () => {
    const folder = tempFolder();
    sh(
      folder,
      "setfattr -n user.b -v 2 .; setfattr -n user.a -v 1 .; setfattr -n trusted.overlay.opaque -v y .; setfattr -n security.other -v x .; setfacl -m u:1234:r -d -m u:7:r .; setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 .",
    );
    const names = ["security.capability", "system.posix_acl_access", "system.posix_acl_default", "user.a", "user.b"];
    expect([...travelingAttributes(Buffer.from(folder)).keys()]).toEqual(names);
    expect(hasAttributes(folder)).toBe(true);
  });

  test("marks of overlays are none", () => {
    const folder = tempFolder();
    sh(folder, "setfattr -n trusted.overlay.opaque -v y .");
    expect(hasAttributes(folder)).toBe(false);
  });
});

describe("copyLook", () => {
  const look = (folder: string, name: string): string =>
    sh(folder, 'cd "$1"; stat -c "%a %u %g %y" .; getfacl -n --omit-header .; getfattr -d -m "^(user|security.capability)" -e hex .', name);

  test("mode, owner, times, ACLs and attributes become the other's", () => {
    const folder = tempFolder();
    sh(
      folder,
      "mkdir from to; setfattr -n user.x -v 1 from; setfacl -m u:33:rwx,g:44:r -d -m u:55:rwx from; chown 12:34 from; chmod 3751 from; touch -d @1000000000.123456789 from; setfattr -n user.old -v 1 to; setfacl -m u:66:r to",
    );
    copyLook(bytePath(folder, "from"), bytePath(folder, "to"));
    expect(look(folder, "to")).toBe(look(folder, "from"));
  });

  test("an ACL that the folder above gave to it goes", () => {
    const folder = tempFolder();
    sh(folder, "mkdir from; mkdir in; setfacl -d -m u:55:rwx in; chmod 750 from");
    mkdirSync(bytePath(folder, "in/to"));
    expect(look(folder, "in/to")).toContain("user:55");
    copyLook(bytePath(folder, "from"), bytePath(folder, "in/to"));
    expect(look(folder, "in/to")).toBe(look(folder, "from"));
  });

  test("marks of overlays stay behind", () => {
    const folder = tempFolder();
    sh(folder, "mkdir from to; setfattr -n trusted.overlay.opaque -v y from");
    copyLook(bytePath(folder, "from"), bytePath(folder, "to"));
    expect(sh(folder, "getfattr -d -m - to")).toBe("");
  });
});
