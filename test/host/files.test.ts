import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readIfThere, removeFile, renameIfThere, statIfSeen, writeWhole } from "../../src/host/files.js";
import { tempFolder } from "../support/temp.js";

describe("what is not there", () => {
  test("is no error to read, look at, rename or remove", async () => {
    const gone = join(tempFolder(), "gone");
    expect(await readIfThere(gone)).toBeUndefined();
    expect(statIfSeen(gone)).toBeUndefined();
    await renameIfThere(gone, `${gone}-too`);
    await removeFile(gone);
  });

  test("is told from what cannot be done", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "taken/x"), { recursive: true });
    writeFileSync(join(folder, "file"), "");
    await expect(readIfThere(folder)).rejects.toThrow("EISDIR");
    await expect(renameIfThere(join(folder, "file"), join(folder, "taken"))).rejects.toThrow("EISDIR");
    await expect(removeFile(join(folder, "taken"))).rejects.toThrow(/EISDIR|EPERM/);
    expect(statIfSeen(join(folder, "file/below"))).toBeUndefined();
    expect(await readIfThere(join(folder, "file/below"))).toBeUndefined();
  });
});

describe("writeWhole", () => {
  test("a file is made with its folders, or replaced by another file", async () => {
    const path = join(tempFolder(), "a/b");
    await writeWhole(path, "one");
    const { ino, mode } = statSync(path);
    expect(mode & 0o777).toBe(0o644);
    await writeWhole(path, "two");
    expect(readFileSync(path, "utf8")).toBe("two");
    expect(statSync(path).ino).not.toBe(ino);
  });

  test("the temporary file may lie elsewhere", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "taken/x"), { recursive: true });
    await writeWhole(join(folder, "a/b"), "one", { temporary: join(folder, "aside/temporary") });
    expect(readFileSync(join(folder, "a/b"), "utf8")).toBe("one");
    await expect(writeWhole(join(folder, "taken"), "text", { temporary: join(folder, "aside/temporary") })).rejects.toThrow();
    expect(readdirSync(join(folder, "aside"))).toEqual([]);
  });

  test("a failure leaves nothing beside the place", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "taken/x"), { recursive: true });
    await expect(writeWhole(join(folder, "taken"), "text")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder)).toEqual(["taken"]);
  });

  test("several at once leave one whole file", async () => {
    const path = join(tempFolder(), "a");
    await Promise.all(Array.from({ length: 5 }, (_, index) => writeWhole(path, String(index).repeat(1000))));
    expect(readFileSync(path, "utf8")).toMatch(/^(\d)\1{999}$/);
  });
});

describe("readIfThere", () => {
  test("a file that is not there is undefined, any other failure is thrown", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a"), "text");
    expect(await readIfThere(join(folder, "a"))).toBe("text");
    expect(await readIfThere(join(folder, "b"))).toBeUndefined();
    expect(await readIfThere(join(folder, "a/b"))).toBeUndefined();
    await expect(readIfThere(folder)).rejects.toThrow(/EISDIR/);
  });
});
