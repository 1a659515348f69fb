import { mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { inspectLayer } from "../../src/layer/fingerprint.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const fingerprint = (path: string): string => inspectLayer(path).fingerprint;

let parent: string;
let folder: string;
beforeEach(() => {
  parent = tempFolder();
  folder = join(parent, "layer");
  writeFiles(folder, { a: "a", "sub/b": "b", "sub/c": "c" });
  sh(folder, "ln -s a link; mknod gone c 0 0; touch -d @1000 a sub/b");
});

describe("a layer's fingerprint", () => {
  test("stays the same while it is read, renamed and built upon", () => {
    const before = fingerprint(folder);
    sh(folder, "cat a sub/b; ls -lR; getfattr -d -m - a");
    renameSync(folder, join(parent, "moved"));
    const work = join(parent, "work");
    const upper = join(parent, "upper");
    for (const path of [work, upper, join(parent, "root")]) mkdirSync(path);
    const mount = `unshare --mount sh -ec 'mount -t overlay -o lowerdir=moved,upperdir=upper,workdir=work overlay root
      echo x > root/a; rm root/sub/b; chmod 700 root/sub'`;
    sh(parent, mount);
    expect(fingerprint(join(parent, "moved"))).toBe(before);
  });

  test.each([
    ["a content of the same length, with the old time put back", 'echo -n x > a; touch -d "@1000" a'],
    ["a mode", "chmod 600 sub/b"],
    ["a folder's mode", "chmod 700 sub"],
    ["its own mode", "chmod 700 ."],
    ["its own owner", "chown 7 ."],
    ["an owner", "chown 7 a"],
    ["an attribute", "setfattr -n user.x -v 1 a"],
    ["a mark of an opaque folder", "setfattr -n trusted.overlay.opaque -v y sub"],
    ["another name of a file", "ln a d"],
    ["a symlink's target", "ln -sf b link"],
    ["a file more", ": > sub/d"],
    ["a file less", "rm sub/c"],
    ["a renamed file", "mv sub/c sub/d"],
    ["a whiteout less", "rm gone"],
    ["the same, as a copy", "cp -a sub copy; rm -r sub; mv copy sub"],
  ])("is another after a change: %s", (_, change) => {
    const before = fingerprint(folder);
    sh(folder, change);
    expect(fingerprint(folder)).not.toBe(before);
  });

  test("does not take one name for another where they only differ in bytes that are no text", () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), "");
    const before = fingerprint(folder);
    renameSync(
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]),
      Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xfe])]),
    );
    expect(fingerprint(folder)).not.toBe(before);
  });

  test("stays the same while whiteouts, which overlayfs makes as links to one in its work folder, lose that one", () => {
    const before = fingerprint(folder);
    sh(folder, "ln gone ../work; rm ../work");
    expect(fingerprint(folder)).toBe(before);
    sh(folder, "rm gone; mknod gone c 0 1");
    expect(fingerprint(folder)).not.toBe(before);
  });

  test("comes with the bytes on disk, as du(1) counts them", () => {
    sh(folder, "head -c 100000 /dev/zero > sub/big; ln sub/big sub/link; truncate -s 1M sub/hole");
    expect(inspectLayer(folder).bytes).toBe(Number(sh(folder, "du --summarize --block-size=1 . | cut -f1")));
  });

  test("does not depend on the folder's own times, which a rename changes", () => {
    const before = fingerprint(folder);
    utimesSync(folder, 7, 7);
    expect(fingerprint(folder)).toBe(before);
  });
});
