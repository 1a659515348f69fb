import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { bytePath } from "../../src/base/byte-path.js";
import { clearFolder } from "../../src/host/clear-folder.js";
import type { Command, Host } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

/** A host that counts the programs that it starts. */
class CountingHost extends LocalHost {
  started = 0;

  override run(command: Command): ReturnType<Host["run"]> {
    this.started++;
    return super.run(command);
  }
}

let host: CountingHost;
let folder: string;
beforeEach(() => {
  host = new CountingHost();
  folder = join(tempFolder(), "folder");
  mkdirSync(folder);
});

describe("clearFolder", () => {
  test("a small one goes without a program, whatever is in it", async () => {
    for (const name of ["resolv.conf", "\xff\xfe", "-rf", "new\nline"]) writeFileSync(bytePath(folder, name), "x");
    mkdirSync(join(folder, "sub/deep/er"), { recursive: true });
    writeFileSync(bytePath(folder, "sub/deep/\xff"), "x");
    chmodSync(join(folder, "sub/deep"), 0);
    symlinkSync("/nowhere", join(folder, "link"));
    sh(folder, "mkfifo sub/pipe; mknod sub/whiteout c 0 0; mkdir $(printf 'sub/\\377'); touch $(printf 'sub/\\377/x')");
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    await clearFolder(host, folder);
    expect(host.started).toBe(0);
  });

  test("one with much in it goes, too", async () => {
    mkdirSync(join(folder, "sub"));
    for (let index = 0; index < 300; index++) writeFileSync(join(folder, "sub", String(index)), "");
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    expect(host.started).toBe(1);
  });

  test("another file system that is mounted in it stays", async () => {
    mkdirSync(join(folder, "sub"));
    sh(folder, "mount -t tmpfs tmpfs sub");
    try {
      writeFileSync(join(folder, "sub/kept"), "");
      await clearFolder(host, folder).catch(() => undefined);
      expect(readdirSync(join(folder, "sub"))).toEqual(["kept"]);
    } finally {
      sh(folder, "umount sub");
    }
  });

  test("what a link leads to stays, be it in the folder or in its place", async () => {
    const other = tempFolder();
    writeFileSync(join(other, "precious"), "");
    symlinkSync(other, join(folder, "link"));
    await clearFolder(host, folder);
    const link = join(tempFolder(), "link");
    symlinkSync(other, link);
    await clearFolder(host, link);
    expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
    expect(readdirSync(other)).toEqual(["precious"]);
  });
});
