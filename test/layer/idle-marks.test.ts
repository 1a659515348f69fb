import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytePath } from "../../src/base/byte-path.js";
import { clearIdleMarks } from "../../src/layer/idle-marks.js";
import { isOpaque } from "../../src/layer/opaque.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const mark = "setfattr -n trusted.overlay.opaque -v y";

function layerOf(folder: string, name: string, script: string): string {
  mkdirSync(join(folder, name));
  sh(join(folder, name), script);
  return join(folder, name);
}

describe("clearIdleMarks", () => {
  test("only marks that hide something stay", () => {
    const folder = tempFolder();
    const layer = layerOf(folder, "top", `mkdir -p new/in old/in cut/in file gone; ${mark} new new/in old old/in cut/in file gone`);
    const upper = layerOf(folder, "upper", `mkdir cut; ${mark} cut; mknod gone c 0 0`);
    const lower = layerOf(folder, "lower", "mkdir -p old/in cut/in gone; echo > file");
    clearIdleMarks(layer, [upper, lower]);
    const names = ["new", "new/in", "old", "old/in", "cut", "cut/in", "file", "gone"];
    // In `old` nothing shows through, so that `old/in` has nothing to hide; `cut` shows nothing of the lower layer.
    expect(names.filter((name) => isOpaque(bytePath(layer, name)))).toEqual(["old", "file"]);
    expect(isOpaque(bytePath(upper, "cut"))).toBe(true);
  });

  test("names may be any bytes, and symlinks are not followed", () => {
    const folder = tempFolder();
    const other = layerOf(folder, "other", `mkdir d; ${mark} d`);
    const layer = layerOf(folder, "layer", `ln -s ../other link; mkdir "$(printf '\\377')"; ${mark} "$(printf '\\377')"`);
    clearIdleMarks(layer, []);
    expect(isOpaque(bytePath(layer, "\xff"))).toBe(false);
    expect(isOpaque(bytePath(other, "d"))).toBe(true);
  });

  test("with nothing below there is nothing to hide", () => {
    const layer = layerOf(tempFolder(), "layer", `mkdir -p a/b; ${mark} a a/b`);
    clearIdleMarks(layer, []);
    expect(["a", "a/b"].map((name) => isOpaque(bytePath(layer, name)))).toEqual([false, false]);
  });
});
