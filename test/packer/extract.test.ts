import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { NspawnError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { type Extracted, extractArchive } from "../../src/packer/extract.js";
import { testLimits } from "../support/config.js";
import { type HandMade, paxOf, tarOf, zipOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const host = new LocalHost();
const origin = "https://example.org/a";
const options = { layer: false, devices: "whiteouts", limits: testLimits } as const;

/** Extracts into `out` of a folder, which has a file that no archive may touch beside it. */
async function extract(folder: string, archive: Buffer): Promise<Extracted> {
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "victim"), "untouched");
  return extractArchive(host, Readable.from([archive]), origin, join(folder, "out"), options);
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
    await extractArchive(host, Readable.from(pieces), origin, join(folder, "out"), options);
    expect(readFileSync(join(folder, "out/big"), "utf8")).toBe("abc".repeat(100_000));
  });

  test("an encrypted zip archive is an error that says so, without a question", async () => {
    const folder = tempFolder();
    const archive = zipOf([{ name: "secret", content: "x".repeat(100), encrypted: true }]);
    await expect(extract(folder, archive)).rejects.toThrow(`${origin} cannot be extracted: it is encrypted`);
  });

  test.each([
    ["tar", tarOf],
    ["zip", zipOf],
  ])("half of a .%s archive is an error that names it", async (_, make) => {
    const archive = make([{ name: "a", content: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) >>> 5)).toString("latin1") }]);
    await expect(extract(tempFolder(), archive.subarray(0, 2000))).rejects.toThrow(
      /^https:\/\/example\.org\/a cannot be extracted: (its member "a" is cut off$|it is cut off or damaged: .)/,
    );
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

  const attacks: Readonly<Record<string, (folder: string) => readonly [RegExp, ...HandMade[]]>> = {
    "a name with ..": () => [/"\.\.\/victim" has \.\. in its name/, { name: "../victim", content: "evil" }],
    "a name with .. inside": () => [/"a\/\.\.\/\.\.\/victim" has \.\. in its name/, { name: "a/../../victim", content: "evil" }],
    "an absolute name": (folder) => [/victim" has an absolute name/, { name: join(folder, "victim"), content: "evil" }],
    "a symlink to a folder outside, then a file through it": (folder) => [
      /"link\/victim" lies below "link", which is a symlink/,
      { name: "link", type: "symlink", link: folder },
      { name: "link/victim", content: "evil" },
    ],
    "a relative symlink outside, then a file through it": () => [
      /"link\/victim" lies below "link", which is a symlink/,
      { name: "link", type: "symlink", link: ".." },
      { name: "link/victim", content: "evil" },
    ],
    "a symlink to a file outside, then a file of that name": (folder) => [
      /"link" has the name of a symlink in the same archive/,
      { name: "link", type: "symlink", link: join(folder, "victim") },
      { name: "link", content: "evil" },
    ],
    "a symlink outside, then a folder in its place, then a file in that": () => [
      /"link\/" has the name of a symlink/,
      { name: "link", type: "symlink", link: ".." },
      { name: "link/", type: "folder" },
      { name: "link/victim", content: "evil" },
    ],
    "a chain of symlinks, then a file through it": () => [
      /"a\/b" lies below "a"/,
      { name: "a", type: "symlink", link: "." },
      { name: "a/b", type: "symlink", link: ".." },
      { name: "b/victim", content: "evil" },
    ],
    "a name of 5,000 characters": () => [/"n.*… \(5002 characters\) has a name of 5000 bytes/, { name: `n/`.repeat(2499).concat("nn") }],
    "a name with control characters": () => [/"a\\u001b\[31m\\n\/\.\." has \.\. in its name/, { name: "a\u001b[31m\n/.." }],
  };
  const tarAttacks: typeof attacks = {
    "a hard link outside": (folder) => [
      /"link" has an absolute target ".*victim"/,
      { name: "link", type: "hardlink", link: join(folder, "victim") },
      { name: "link", content: "evil" },
    ],
    "a relative hard link outside": () => [/"link" has \.\. in its target/, { name: "link", type: "hardlink", link: "../victim" }],
    "a hard link through a symlink": () => [
      /"h" is a hard link to "s\/victim", below "s"/,
      { name: "s", type: "symlink", link: ".." },
      { name: "h", type: "hardlink", link: "s/victim" },
    ],
    "a hard link to what is not in it": () => [
      /a cannot be extracted: .*link.*No such file/,
      { name: "link", type: "hardlink", link: "none" },
    ],
    "a device node": () => [/"null" is a device node \(character 1:3\)/, { name: "null", type: "character", device: [1, 3] }],
  };

  /** Long names need a pax header. */
  const tarWithLongNames = (members: readonly HandMade[]): Buffer =>
    Buffer.concat([
      ...members.flatMap((member) => [
        ...(member.name.length > 100 ? [paxOf({ path: member.name })] : []),
        tarOf([{ ...member, name: member.name.slice(0, 100) }]).subarray(0, -1024),
      ]),
      Buffer.alloc(1024),
    ]);

  test.each([
    ...Object.entries({ ...attacks, ...tarAttacks }).map(([name, attack]) => [name, "tar", attack] as const),
    ...Object.entries(attacks).map(([name, attack]) => [name, "zip", attack] as const),
  ])("%s, in a .%s archive: refused by name, and nothing outside is touched", async (_, kind, attack) => {
    const folder = tempFolder();
    const [message, ...members] = attack(folder);
    const before = (): string => sh(folder, "stat -c '%n %s %h %Y %i' victim; cat victim; ls -A | grep -v '^out$'");
    const archive = kind === "tar" ? tarWithLongNames(members) : zipOf(members);
    const error: unknown = await extract(folder, archive).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NspawnError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(`${origin} cannot be extracted: `);
    expect((error as Error).message.length).toBeLessThan(400);
    expect(before()).toMatch(/^victim 9 1 \d+ \d+\nuntouchedvictim\n$/);
  });

  test("a whiteout is none of the refused device nodes; FETCH and BOOTSTRAP may ask for all of them", async () => {
    const folder = tempFolder();
    const archive = tarOf([
      { name: "gone", type: "character" },
      { name: "null", type: "character", device: [1, 3] },
    ]);
    mkdirSync(join(folder, "out"));
    await extractArchive(host, Readable.from([archive]), origin, join(folder, "out"), { ...options, devices: "all" });
    expect(sh(folder, "stat -c '%n %F %t:%T' out/*")).toBe("out/gone character special file 0:0\nout/null character special file 1:3\n");
  });

  test.each(["gzip", "xz -0", "zstd -q"])("a bomb of %s stops at the limit, and its download with it", async (program) => {
    const folder = tempFolder();
    sh(folder, `truncate -s 300M zeros; tar -c zeros | ${program} > a; rm zeros; mkdir out`);
    let read = 0;
    const archive = readFileSync(join(folder, "a"));
    const parts = Readable.from(
      (function* () {
        // Over and over: compressed data may be put together.
        for (read = 0; read < 1e8; read += archive.length) yield archive;
      })(),
    );
    const extracted = extractArchive(host, parts, origin, join(folder, "out"), {
      ...options,
      limits: { extractLimit: 2 ** 20, extractMembers: 9 },
    });
    await expect(extracted).rejects.toMatchObject({
      message: `${origin} cannot be extracted: its member "zeros" makes the archive larger than the 1048576 bytes that it may be extracted`,
      hint: "[storage] extract_limit in the configuration sets how many",
    });
    expect(read).toBeLessThan(1e7);
    expect(sh(folder, "du -s --apparent-size out | cut -f1; du -sk out | cut -f1")).toMatch(/^\d{1,3}\n\d{1,3}\n$/);
  });

  test("a zip archive that says less than it holds is damaged, and is not written on", async () => {
    const folder = tempFolder();
    const archive = zipOf([{ name: "bomb", content: "x".repeat(50_000_000) }]);
    const lies = Buffer.from(archive);
    lies.writeUInt32LE(10, lies.lastIndexOf(Buffer.from("504b0102", "hex")) + 24);
    await expect(extract(folder, lies)).rejects.toThrow(/its member "bomb" is cut off or damaged: too many bytes/);
    expect(Number(sh(folder, "du -sk out | cut -f1"))).toBeLessThan(2000);
  });

  test("a wrong checksum in a zip archive is an error, and so is a method that is not known", async () => {
    const archive = zipOf([{ name: "a", content: "hello" }]);
    const wrong = Buffer.from(archive);
    const entry = wrong.lastIndexOf(Buffer.from("504b0102", "hex"));
    wrong.writeUInt32LE(1, entry + 16);
    await expect(extract(tempFolder(), wrong)).rejects.toThrow(/its member "a" has a wrong checksum/);
    const method = Buffer.from(archive);
    method.writeUInt16LE(12, entry + 10);
    await expect(extract(tempFolder(), method)).rejects.toThrow(/its member "a" is compressed by the method 12/);
  });

  test("an archive that has more than fits is refused before it is read, and one that fills the disk before it is full", async () => {
    const folder = tempFolder();
    const disk = join(folder, "disk");
    sh(folder, "mkdir disk; mount -t tmpfs -o size=20M tmpfs disk; mkdir disk/out");
    try {
      const announced = extractArchive(host, Readable.from([tarOf([])]), origin, join(disk, "out"), { ...options, announced: 30 << 20 });
      await expect(announced).rejects.toThrow(
        /not enough room on the disk of .*disk\/out to extract https:.*: the archive alone has 30 MiB/,
      );
      sh(folder, "head -c 25000000 /dev/urandom > big; tar -cf a.tar big");
      const full = extractArchive(host, createReadStream(join(folder, "a.tar")), origin, join(disk, "out"), options);
      await expect(full).rejects.toThrow(/not enough room on the disk of /);
      expect(Number(sh(disk, "df --output=avail -k . | tail -1"))).toBeGreaterThan(20);
    } finally {
      sh(folder, "umount disk");
    }
  });

  test("a disk without another inode is full, too", async () => {
    const folder = tempFolder();
    sh(folder, "mkdir disk; mount -t tmpfs -o size=20M,nr_inodes=20 tmpfs disk; mkdir disk/out");
    try {
      const archive = tarOf(Array.from({ length: 100 }, (_, index) => ({ name: `f${index}` })));
      const full = extractArchive(host, Readable.from([archive]), origin, join(folder, "disk/out"), options);
      await expect(full).rejects.toMatchObject({
        message: expect.stringMatching(/^the disk of .*\/out is full: /),
        hint: expect.stringMatching(/room/),
      });
    } finally {
      sh(folder, "umount disk");
    }
  });

  test.each([
    ["tar", (tar: Buffer) => tar],
    ["tar.gz", (tar: Buffer) => gzipSync(tar)],
  ])(
    "a .%s archive that is refused is told at once, and given up, whether or not more of it ever comes",
    async (_, pack) => {
      const folder = tempFolder();
      mkdirSync(join(folder, "out"));
      const archive = new PassThrough();
      archive.write(
        pack(
          tarOf([
            { name: "a", content: "x".repeat(100_000) },
            { name: "../evil", content: randomBytes(200_000).toString("latin1") },
          ]),
        ).subarray(0, 150_000),
      );
      await expect(extractArchive(host, archive, origin, join(folder, "out"), options)).rejects.toThrow(
        /"\.\.\/evil" has \.\. in its name/,
      );
      expect(archive.destroyed).toBe(true);
    },
    10_000,
  );

  test("a decompressor that is killed, as where memory runs out, is no fault of the archive", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "zstd"), "#!/bin/sh\nkill -KILL $$\n", { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${folder}:${path}`;
    onTestFinished(() => {
      process.env.PATH = path;
    });
    await expect(extract(folder, Buffer.concat([Buffer.from("28b52ffd", "hex"), Buffer.alloc(1000)]))).rejects.toThrow(
      new NspawnError(`${origin} cannot be extracted: zstd failed: ended by SIGKILL`),
    );
  });

  test("data that is damaged behind the last member counts: the checksum at the end is read", async () => {
    const archive = gzipSync(tarOf([{ name: "a", content: "x" }]));
    archive.writeUInt32LE(1, archive.length - 8);
    await expect(extract(tempFolder(), archive)).rejects.toThrow(/cannot be extracted: it is cut off or damaged: /);
  });
});
