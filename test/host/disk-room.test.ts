import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CommandError, NspawnError, TransferError } from "../../src/base/errors.js";
import { needingRoom, showRoom } from "../../src/host/disk-room.js";
import { tempFolder } from "../support/temp.js";

/** A file system in memory with so few bytes or inodes. */
function disk(options: string): string {
  const folder = join(tempFolder(), "disk");
  mkdirSync(folder);
  const sh = (script: string): Buffer => execFileSync("sh", ["-ec", script, "sh", options, folder]);
  sh('mount -t tmpfs -o "$1" tmpfs "$2"');
  onTestFinished(() => void sh('umount "$2"'));
  return folder;
}

const told = (folder: string, work: () => Promise<unknown>, advice?: string): Promise<unknown> =>
  needingRoom(folder, work, advice).then(
    () => "no error",
    (error: unknown) => error,
  );

function failed(output: string): CommandError {
  return new CommandError({ argv: ["cp", "a", "b"], code: 1, output });
}

describe("what finds no room on a disk", () => {
  test("says which disk that is, how much is left there, and what to do", async () => {
    const folder = disk("size=100k,nr_inodes=10");
    const error = await told(folder, () => writeFile(join(folder, "a"), Buffer.alloc(200_000)));
    expect(error).toBeInstanceOf(NspawnError);
    expect(error).toMatchObject({
      message: `the disk of ${folder} is full: write`,
      hint: `the disk of ${folder} has 0 KiB and 8 inodes left: make room there, by nspawn prune or otherwise, or put [storage] root on another disk`,
      cause: { code: "ENOSPC" },
    });
  });

  test("says so for want of an inode too, which Node's recursive mkdir takes for a folder that is not there", async () => {
    const folder = disk("size=100k,nr_inodes=2");
    await mkdir(join(folder, "a"));
    const path = join(folder, "a/b/c");
    // The folder itself need not be there.
    const error = await told(path, () => mkdir(path, { recursive: true }), "buy another");
    expect(error).toMatchObject({
      message: `the disk of ${path} is full: mkdir ${join(folder, "a/b")}`,
      hint: `the disk of ${path} has 100 KiB and 0 inodes left: buy another`,
    });
  });

  test("says so of what is written at once, without a thread", async () => {
    const folder = disk("size=100k,nr_inodes=3");
    const path = join(folder, "a/b/c");
    const error = await told(folder, async () => void mkdirSync(path, { recursive: true }));
    expect(error).toMatchObject({ message: expect.stringMatching(/ is full: mkdir /), cause: { syscall: "mkdir" } });
    const written = await told(folder, async () => writeFileSync(join(folder, "a/file"), ""));
    expect(written).toMatchObject({ message: expect.stringMatching(/ is full: open /), cause: { code: "ENOSPC" } });
  });

  test("may be a program, whose own words stay", async () => {
    const command = failed("cp: error writing 'b': No space left on device");
    const error = await told(tempFolder(), () => Promise.reject(command));
    expect(error).toMatchObject({
      message: "cp failed: exit code 1",
      cause: command,
      hint: expect.stringMatching(/ left: make room there/),
    });
    const wordless = failed("head: standard output: I/O error");
    const full = disk("size=4k,nr_inodes=10");
    expect(await told(full, () => Promise.reject(wordless))).toMatchObject({ cause: wordless, hint: expect.stringContaining(full) });
  });
});

describe("what fails for another reason stays as it is", () => {
  const folder = "/";
  test.each([
    failed("cp: cannot stat 'a': No such file or directory"),
    new TransferError("https://example.org/a", "HTTP status 404", { hint: "check the URL" }),
    new NspawnError("No space left on device"),
    Object.assign(new Error("ENOENT: no such file or directory, open 'a'"), { code: "ENOENT", errno: -2, syscall: "open" }),
    new Error("a defect"),
  ])("%s", async (error) => {
    expect(await told(folder, () => Promise.reject(error))).toBe(error);
  });

  test("on a full disk too", async () => {
    const error = new NspawnError("a digest is wrong");
    expect(await told(disk("size=4k,nr_inodes=1"), () => Promise.reject(error))).toBe(error);
  });
});

test("room is rounded down", () => {
  expect([0, 1023, 1024, 2 ** 20 - 1, 2 ** 20, 30.9 * 2 ** 20].map(showRoom)).toEqual([
    "0 KiB",
    "0 KiB",
    "1 KiB",
    "1023 KiB",
    "1 MiB",
    "30 MiB",
  ]);
  expect(showRoom(-5)).toBe("0 KiB");
});
