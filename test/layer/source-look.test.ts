import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { SourceLook, sourceFiles } from "../../src/layer/source-look.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

let folder: string;
beforeEach(() => {
  folder = join(tempFolder(), "data");
  writeFiles(folder, { a: "a", "sub/b": "b", "sub/c": "c" });
  sh(folder, "ln -s a link; mkdir empty");
});

/** A look at a folder that was last changed long before. */
function lookAt(source: string, began = Date.now() + 60_000): SourceLook {
  const look = new SourceLook(began);
  for (const { name, stats } of sourceFiles(source)) look.see(name, stats);
  return look;
}

describe("SourceLook", () => {
  test("what nobody has changed is the same, however often it is read", () => {
    const look = lookAt(folder);
    sh(folder, "cat a sub/b > /dev/null; ls -R > /dev/null");
    expect([look.isSame(folder), look.isSame(folder)]).toEqual([true, true]);
    expect(lookAt(join(folder, "a")).isSame(join(folder, "a"))).toBe(true);
  });

  test.each([
    [
      "content of the same length, with the old time",
      "touch -r sub/b /tmp/look.$$; printf x > sub/b; touch -r /tmp/look.$$ sub/b; rm /tmp/look.$$",
    ],
    ["mode", "chmod 700 sub/b"],
    ["owner", "chown 5 a"],
    ["an attribute", "setfattr -n user.x -v 1 sub"],
    ["an ACL", "setfacl -m u:12:r a"],
    ["target of a symlink", "ln -sfn sub link"],
    ["a new file", "touch sub/new"],
    ["a file in what was an empty folder", "touch empty/new"],
    ["a removed file", "rm sub/c"],
    ["another name", "mv sub/c sub/d"],
    ["a hard link", "ln a other"],
    ["another file of the same name", "cp -p a b && mv b a"],
    ["all of it gone", 'rm -r "$PWD"'],
  ])("a change is seen: %s", (_, change) => {
    const look = lookAt(folder);
    sh(folder, change);
    expect(look.isSame(folder)).toBe(false);
  });

  test("a single file is seen to change", () => {
    const look = lookAt(join(folder, "a"));
    writeFileSync(join(folder, "a"), "b");
    expect(look.isSame(join(folder, "a"))).toBe(false);
  });

  test("it is not sure of what was changed shortly before, or while it was read", () => {
    expect(lookAt(folder, Date.now()).isSame(folder)).toBe(false);
    expect(lookAt(folder, Date.now() - 60_000).isSame(folder)).toBe(false);
  });
});
