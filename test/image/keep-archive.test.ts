import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { archiveEnding, keepArchive } from "../../src/image/keep-archive.js";
import { ref } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { tempFolder } from "../support/temp.js";

describe("keepArchive", () => {
  test("passes an archive on, and writes it to a file that is for root only", async () => {
    const path = join(tempFolder(), "kept");
    const chunks = Array.from({ length: 100 }, (_, index) => Buffer.alloc(10_000, index));
    expect((await bytesOf(keepArchive(Readable.from(chunks), path))).equals(Buffer.concat(chunks))).toBe(true);
    expect(readFileSync(path).equals(Buffer.concat(chunks))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("breaks off with the archive, and where the file cannot be written", async () => {
    const folder = tempFolder();
    const archive = new PassThrough();
    const kept = bytesOf(keepArchive(archive, join(folder, "kept")));
    archive.write("a");
    archive.destroy(new Error("cable"));
    await expect(kept).rejects.toThrow("cable");
    const other = new PassThrough();
    await expect(bytesOf(keepArchive(other, join(folder, "none/kept")))).rejects.toThrow(/ENOENT/);
    expect(other.destroyed).toBe(true);
  });

  test("given up, gives up the archive at once, also one of which nothing comes", async () => {
    const archive = new PassThrough();
    const kept = keepArchive(archive, join(tempFolder(), "kept"));
    archive.write("a");
    await kept[Symbol.asyncIterator]().next();
    kept.destroy();
    await expect.poll(() => archive.destroyed, { timeout: 1000 }).toBe(true);
  });
});

test.each([
  ["https://example.org/a.tar.zst", ".tar.zst"],
  ["https://example.org/a.b.tar.gz?x=.y", ".tar.gz"],
  ["https://example.org/a.zip", ".zip"],
  ["https://example.org/a.d/b", ""],
])("the ending of %s is %j", (url, ending) => expect(archiveEnding(ref(url))).toBe(ending));
