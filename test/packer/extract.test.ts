import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import { type Extracted, extractArchive } from "../../src/packer/extract.js";
import { type HandMade, tarOf, zipOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const host = new LocalHost();
const origin = "https://example.org/a";

/** Extracts into `out` of a folder, which has a file that no archive may touch beside it. */
async function extract(folder: string, archive: Buffer): Promise<Extracted> {
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "victim"), "untouched");
  return extractArchive(host, Readable.from([archive]), origin, join(folder, "out"), { layer: false });
}

describe("extractArchive", () => {
  test.each([
    ["tar", tarOf],
    ["tar.gz", (members: readonly HandMade[]) => gzipSync(tarOf(members))],
    ["zip", zipOf],
  ])("a .%s archive: files, modes, links, names", async (_, make) => {
    const folder = tempFolder();
    const archive = make([
      { name: "dir/", type: "folder", mode: 0o750 },
      { name: "dir/ü x", content: "hello", mode: 0o4755 },
      { name: "link", type: "symlink", link: "dir/ü x", mode: 0o777 },
      { name: "./dotted", content: "y" },
    ]);
    const extracted = await extract(folder, archive);
    expect(extracted).toEqual({ digest: `sha256:${createHash("sha256").update(archive).digest("hex")}`, bytes: archive.length });
    expect(sh(join(folder, "out"), "cat link dotted; stat -c '%a' dir 'dir/ü x'; readlink link")).toBe("helloy750\n4755\ndir/ü x\n");
    // Nothing is left beside it.
    expect(readdirSync(folder).sort()).toEqual(["out", "victim"]);
  });

  test("a zip archive that comes in pieces", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "out"));
    const archive = zipOf([{ name: "big", content: "abc".repeat(100_000) }]);
    const pieces = Array.from({ length: Math.ceil(archive.length / 100) }, (_, index) => archive.subarray(index * 100, index * 100 + 100));
    await extractArchive(host, Readable.from(pieces), origin, join(folder, "out"), { layer: false });
    expect(readFileSync(join(folder, "out/big"), "utf8")).toBe("abc".repeat(100_000));
  });

  test("an encrypted zip archive is an error that says so, without a question", async () => {
    const folder = tempFolder();
    const archive = zipOf([{ name: "secret", content: "x".repeat(100), encrypted: true }]);
    await expect(extract(folder, archive)).rejects.toThrow(`${origin} is encrypted`);
  });

  test.each([
    ["tar", tarOf],
    ["zip", zipOf],
  ])("half of a .%s archive is an error that names it", async (_, make) => {
    const archive = make([{ name: "a", content: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) >>> 5)).toString("latin1") }]);
    await expect(extract(tempFolder(), archive.subarray(0, 2000))).rejects.toThrow(`${origin} cannot be extracted: `);
  });

  test.each([
    ["an HTML page", Buffer.from(`<html>${"not found ".repeat(100)}</html>`)],
    ["an empty file", Buffer.alloc(0)],
  ])("%s is no archive, and the message says what can be read", async (words, bytes) => {
    await expect(extract(tempFolder(), bytes)).rejects.toMatchObject({
      message: `${origin} is no archive: it looks like ${words}`,
      hint: ".tar, .tar.gz, .tar.xz, .tar.zst and .zip can be read",
    });
  });

  const victim = (folder: string): string => readFileSync(join(folder, "victim"), "utf8");
  const attacks: Readonly<Record<string, (folder: string) => readonly HandMade[]>> = {
    "a name with ..": () => [{ name: "../victim", content: "evil" }],
    "a name with .. inside": () => [{ name: "a/../../victim", content: "evil" }],
    "an absolute name": (folder) => [{ name: join(folder, "victim"), content: "evil" }],
    "a symlink to a folder outside, then a file through it": (folder) => [
      { name: "link", type: "symlink", link: folder },
      { name: "link/victim", content: "evil" },
    ],
    "a relative symlink outside, then a file through it": () => [
      { name: "link", type: "symlink", link: ".." },
      { name: "link/victim", content: "evil" },
    ],
    "a symlink to a file outside, then a file of that name": (folder) => [
      { name: "link", type: "symlink", link: join(folder, "victim") },
      { name: "link", content: "evil" },
    ],
    "a hard link outside, then a file of that name": (folder) => [
      { name: "link", type: "hardlink", link: join(folder, "victim") },
      { name: "link", content: "evil" },
    ],
    "a relative hard link outside, then a file of that name": () => [
      { name: "link", type: "hardlink", link: "../victim" },
      { name: "link", content: "evil" },
    ],
    "a chain of symlinks, then a file through it": () => [
      { name: "a", type: "symlink", link: "." },
      { name: "a/b", type: "symlink", link: ".." },
      { name: "b/victim", content: "evil" },
    ],
  };

  test.each(Object.keys(attacks).flatMap((name) => [[name, "tar"] as const, [name, "zip"] as const]))(
    "%s, in a .%s archive, touches nothing outside",
    async (name, kind) => {
      const folder = tempFolder();
      const members = attacks[name]?.(folder) ?? [];
      await extract(folder, kind === "tar" ? tarOf(members) : zipOf(members)).catch(() => undefined);
      expect(victim(folder)).toBe("untouched");
      expect(sh(folder, "stat -c %h victim")).toBe("1\n");
      expect(
        readdirSync(folder)
          .filter((other) => other !== "out.zip")
          .sort(),
      ).toEqual(["out", "victim"]);
    },
  );
});
