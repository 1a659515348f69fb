import { randomBytes } from "node:crypto";
import { createReadStream, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { readMember } from "../../src/packer/member.js";
import { tarOf, zipOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const host = new LocalHost();
let folder: string;

beforeEach(() => {
  folder = tempFolder();
});

const read = (archive: Buffer | Readable, name = "meta"): Promise<string | undefined> =>
  readMember(host, archive instanceof Readable ? archive : Readable.from([archive]), "origin", name, 1_000_000);

/** An archive of which it is counted how much was read. */
function counted(path: string): { readonly archive: Readable; bytes(): number } {
  let bytes = 0;
  const file = createReadStream(path);
  const archive = Readable.from(
    (async function* () {
      for await (const chunk of file as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
  return { archive, bytes: () => bytes };
}

describe("readMember", () => {
  test.each(["cat", "gzip -1", "xz -0", "zstd -1 -q"])(
    "finds a file in an archive of %s, and reads no more of it than that takes",
    async (program) => {
      sh(
        folder,
        `echo "a: ö" > meta; head -c 12000000 /dev/urandom > big; tar -cf a.tar ./meta ./big; ${program} < a.tar > a; rm big a.tar`,
      );
      const { archive, bytes } = counted(join(folder, "a"));
      expect(await read(archive)).toBe("a: ö\n");
      expect(archive.destroyed).toBe(true);
      expect(bytes()).toBeGreaterThan(0);
      expect(bytes()).toBeLessThan(6_000_000);
    },
  );

  test("it is there as soon as it has come, whether or not more of the archive ever does", async () => {
    const archive = new PassThrough();
    const tar = tarOf([
      { name: "meta", content: "hello" },
      { name: "big", content: randomBytes(200_000).toString("latin1") },
    ]);
    archive.write(gzipSync(tar).subarray(0, 150_000));
    expect(await read(archive)).toBe("hello");
    expect(archive.destroyed).toBe(true);
  }, 10_000);

  test("of a huge file, only the beginning: it may be a few kilobytes in the archive, and gigabytes in memory", async () => {
    sh(folder, "truncate -s 1G meta; tar -c ./meta | zstd -q > a; rm meta");
    expect(statSync(join(folder, "a")).size).toBeLessThan(1_000_000);
    const text = await readMember(host, createReadStream(join(folder, "a")), "origin", "meta", 1_000);
    expect(text?.length).toBeGreaterThan(1_000);
    expect(text?.length).toBeLessThan(1_000_000);
  });

  test("a file of just as many bytes is whole", async () => {
    const content = "x".repeat(1_000);
    expect(await readMember(host, Readable.from([tarOf([{ name: "./meta", content }])]), "origin", "meta", 1_000)).toBe(content);
  });

  test("behind much else, too", async () => {
    sh(folder, "head -c 3000000 /dev/urandom > big; echo x > meta; tar -czf a ./big ./meta");
    expect(await read(createReadStream(join(folder, "a")))).toBe("x\n");
  });

  test("an archive without it, an empty one, and what is none", async () => {
    expect(await read(tarOf([{ name: "./other", content: "x" }]))).toBeUndefined();
    expect(await read(tarOf([{ name: "./sub/meta", content: "x" }]))).toBeUndefined();
    expect(await read(zipOf([{ name: "meta", content: "x" }]))).toBeUndefined();
    await expect(read(Buffer.from("<html>no archive at all</html>"))).rejects.toThrow("origin is no archive: it looks like an HTML page");
    await expect(read(Buffer.alloc(0))).rejects.toThrow("it looks like an empty file");
  });

  test("a name without ./ is the same", async () => {
    expect(await read(tarOf([{ name: "meta", content: "x" }]))).toBe("x");
    expect(await read(tarOf([{ name: "././meta", content: "x" }]))).toBe("x");
  });

  test("of two, the first; of what is no file, nothing", async () => {
    expect(
      await read(
        tarOf([
          { name: "./meta", content: "first" },
          { name: "./meta", content: "second" },
        ]),
      ),
    ).toBe("first");
    writeFileSync(join(folder, "secret"), "secret");
    expect(await read(tarOf([{ name: "./meta", type: "symlink", link: join(folder, "secret") }]))).toBe("");
    expect(await read(tarOf([{ name: "./meta", type: "folder" }]))).toBe("");
  });

  test("a name is no pattern and no option", async () => {
    expect(await read(tarOf([{ name: "./mxta", content: "x" }]), "./m*a")).toBeUndefined();
    expect(await read(tarOf([{ name: "--help", content: "x" }]), "--help")).toBe("x");
  });

  test("a broken archive is an error, and so is one that breaks off", async () => {
    sh(folder, "head -c 300000 /dev/urandom > big; echo x > meta; tar -czf a ./big ./meta");
    truncateSync(join(folder, "a"), 100_000);
    await expect(read(readFileSync(join(folder, "a")))).rejects.toThrow(CommandError);
    const start = readFileSync(join(folder, "a")).subarray(0, 50_000);
    const breaking = Readable.from(
      (async function* () {
        yield start;
        throw new Error("the connection broke");
      })(),
    );
    await expect(read(breaking)).rejects.toThrow("the connection broke");
  });
});
