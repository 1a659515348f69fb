import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import { isOpaque, setOpaque } from "../../src/layer/opaque.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const names = ["plain", "two words", "new\nline", "back\\slash", "ünï"].map(toBytes).concat(["\xff\xfe", "a\x80b", "\x01\x7f"]);

describe("setOpaque and isOpaque", () => {
  test.each(names)("a folder is marked, whatever its name is, and nothing else: %j", (name) => {
    const layer = tempFolder();
    for (const path of [name, `${name}/inner`, "other"]) mkdirSync(bytePath(layer, path));
    setOpaque(bytePath(layer, name));
    expect([name, `${name}/inner`, "other", ""].map((path) => isOpaque(bytePath(layer, path)))).toEqual([true, false, false, false]);
  });

  test("other programs see the mark", () => {
    const layer = tempFolder();
    mkdirSync(bytePath(layer, "a"));
    setOpaque(bytePath(layer, "a"));
    expect(sh(layer, "getfattr --only-values -n trusted.overlay.opaque a")).toBe("y");
  });

  test("marks of another value and other attributes are none", () => {
    const layer = tempFolder();
    sh(
      layer,
      "mkdir a b c; setfattr -n trusted.overlay.opaque -v x a; setfattr -n user.overlay.opaque -v y b; setfattr -n trusted.overlay.opaque -v y c",
    );
    expect(["a", "b", "c"].map((name) => isOpaque(bytePath(layer, name)))).toEqual([false, false, true]);
  });

  test("symlinks are not followed out of a layer", () => {
    const [layer, other] = [tempFolder(), tempFolder()];
    sh(other, "setfattr -n trusted.overlay.opaque -v y .");
    sh(layer, 'ln -s "$1" link', other);
    expect(isOpaque(bytePath(layer, "link"))).toBe(false);
    expect(isOpaque(bytePath(other, ""))).toBe(true);
  });

  test("what is not there is an error", () => {
    expect(() => isOpaque(bytePath(tempFolder(), "gone"))).toThrow(/ENOENT.*gone/);
  });
});
