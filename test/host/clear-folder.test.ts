import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { bytePath } from "../../src/base/byte-path.js";
import { clearFolder } from "../../src/host/clear-folder.js";
import type { Command, Host } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { tempFolder } from "../support/temp.js";

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
  test("an empty one, and one with a few files, links and empty folders, goes without a program", async () => {
    for (const name of ["resolv.conf", "\xff\xfe", "-rf", "new\nline"]) writeFileSync(bytePath(folder, name), "x");
    mkdirSync(join(folder, "sub"));
    symlinkSync("/nowhere", join(folder, "link"));
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    await clearFolder(host, folder);
    expect(host.started).toBe(0);
  });

  test("one with much in it, or deep, goes too", async () => {
    for (let index = 0; index < 50; index++) writeFileSync(join(folder, String(index)), "");
    mkdirSync(join(folder, "a/b/c"), { recursive: true });
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    mkdirSync(join(folder, "a"), { recursive: true });
    writeFileSync(bytePath(folder, "a/\xff"), "");
    await clearFolder(host, folder);
    expect(existsSync(folder)).toBe(false);
    expect(host.started).toBe(2);
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
