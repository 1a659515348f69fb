import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bindStubs } from "../../src/machine/bind-stub.js";
import type { SettingName } from "../../src/settings/catalog.js";
import { splitColons } from "../../src/settings/colons.js";

const stubs = (name: SettingName, ...values: readonly string[]): readonly string[] =>
  bindStubs(values.map((value) => ({ name, value, origin: "o" }))).map(({ kind, path }) => `${kind} ${path}`);

describe("bindStubs", () => {
  test("a source that ends in a slash is a folder", () => {
    expect(stubs("Bind", "/srv/web/:/srv/web")).toEqual(["folder /srv/web/"]);
  });

  test("any other source is a file in its folder", () => {
    expect(stubs("BindReadOnly", "/root/.ssh/authorized_keys")).toEqual(["folder /root/.ssh", "file /root/.ssh/authorized_keys"]);
    expect(stubs("Bind", "/file")).toEqual(["file /file"]);
  });

  test("sources in the image, temporary ones and relative ones need nothing on the host", () => {
    expect(stubs("Bind", "+/srv/", ":/data", "", "data/:/x")).toEqual([]);
    expect(stubs("Overlay", "+/a:/b/:/c:/d")).toEqual(["folder /b/", "folder /c"]);
  });

  test("the source of an optional bind (-) need not be there", () => {
    expect(stubs("Bind", "-/srv/web/:/srv/web")).toEqual([]);
  });

  test("nothing is made where the kernel has to bring it", () => {
    expect(stubs("Bind", "/dev/fuse", "/dev/dri/:/dev/dri", "/proc/x", "/sys/class/net/", "/dev")).toEqual([]);
    expect(stubs("Bind", "/dev/shm/x", "/system/x")).toEqual(["folder /dev/shm", "file /dev/shm/x", "folder /system", "file /system/x"]);
  });

  test("all folders of an overlay but its target are made", () => {
    expect(stubs("Overlay", "/lower:/upper:/target")).toEqual(["folder /lower", "folder /upper"]);
    expect(stubs("OverlayReadOnly", "/a:/b:/target")).toEqual(["folder /a", "folder /b"]);
    expect(stubs("Overlay", "/lower::/target")).toEqual(["folder /lower"]);
  });

  test("an overlay of two parts has its lower folder also as its target, which lies in the image", () => {
    expect(stubs("OverlayReadOnly", "/a:/b")).toEqual(["folder /a"]);
  });

  test("each path is made once", () => {
    expect(stubs("Bind", "/a/b", "/a/c", "/a/b:/x")).toEqual(["folder /a", "file /a/b", "file /a/c"]);
  });

  test("other settings need nothing", () => {
    expect(stubs("TemporaryFileSystem", "/tmp")).toEqual([]);
  });

  test("escaped colons belong to the path", () => {
    expect(stubs("Bind", "/a\\:b/:/c")).toEqual(["folder /a:b/"]);
  });

  test("the root of the host is never made", () => {
    expect(stubs("Bind", "/:/host")).toEqual([]);
  });
});

describe("splitColons", () => {
  test("escaped parts come back as they were", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(":", "\\", "a", "/", "é") }), { minLength: 1 }), (parts) => {
        expect(splitColons(parts.map((part) => part.replace(/[\\:]/g, "\\$&")).join(":"))).toEqual(parts);
      }),
    );
  });

  test("a backslash at the end stands for itself", () => {
    expect(splitColons("a:b\\")).toEqual(["a", "b\\"]);
  });
});
