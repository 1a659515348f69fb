import { createHash } from "node:crypto";
import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { fileDigest } from "../../src/host/file-digest.js";
import { tempFolder } from "../support/temp.js";

let path: string;
beforeEach(() => {
  path = join(tempFolder(), "file");
});

const mebi = 1 << 20;
/** More than one group of chunks, with a last one that is not full. */
const large = 21 * mebi + 17;

function writeByte(position: number, value: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([value]), 0, 1, position);
  closeSync(file);
}

describe("a file's digest", () => {
  test("of a small one is its SHA-256", async () => {
    writeFileSync(path, "x".repeat(1000));
    expect(await fileDigest(path, 1000)).toBe(createHash("sha256").update("x".repeat(1000)).digest("hex"));
  });

  test.each([0, 4 * mebi - 1, 4 * mebi, 16 * mebi, large - 1])("of a large one changes with its byte %i, and back", async (position) => {
    writeFileSync(path, "");
    truncateSync(path, large);
    const before = await fileDigest(path, large);
    writeByte(position, 1);
    expect(await fileDigest(path, large)).not.toBe(before);
    writeByte(position, 0);
    expect(await fileDigest(path, large)).toBe(before);
  });

  test("tells chunks in another order, and a length without content, apart", async () => {
    const [a, b] = [Buffer.alloc(4 * mebi, "a"), Buffer.alloc(4 * mebi, "b")];
    const digests: string[] = [];
    for (const parts of [
      [a, b],
      [b, a],
      [a, b, Buffer.alloc(1)],
      [a, b, Buffer.alloc(2)],
    ]) {
      writeFileSync(path, Buffer.concat(parts));
      digests.push(await fileDigest(path, Buffer.concat(parts).length));
    }
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("of a file that has become shorter since it was looked at is one of what is there", async () => {
    writeFileSync(path, Buffer.alloc(5 * mebi));
    const whole = await fileDigest(path, 5 * mebi);
    truncateSync(path, mebi);
    expect(await fileDigest(path, 5 * mebi)).not.toBe(whole);
  });
});
