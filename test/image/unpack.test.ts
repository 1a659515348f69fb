import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Host } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { type Unpacked, unpack as unpackArchive } from "../../src/image/unpack.js";
import { digestOf, makeArchive } from "../support/archive.js";
import { testLimits } from "../support/config.js";
import { writeFiles } from "../support/files.js";
import { zipOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";

const host = new LocalHost();

function unpack(by: Host, archive: Readable, origin: string, scratch: string): Promise<Unpacked> {
  return unpackArchive(by, archive, origin, scratch, { devices: "whiteouts", limits: testLimits });
}

function scratchIn(folder: string): string {
  const scratch = join(folder, "scratch");
  mkdirSync(scratch);
  return scratch;
}

const big = {
  "etc/issue": "hello\n",
  "big/random": Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24)).toString("latin1"),
};

/** Processes of this test process that are still there. */
function children(): readonly string[] {
  return execFileSync("ps", ["--ppid", String(process.pid), "-o", "args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => /tar|gz|zst|xz/.test(line) && !line.startsWith("ps "));
}

describe("unpack", () => {
  test.each([".tar", ".tar.gz", ".tar.xz", ".tar.zst"])("a %s archive", async (ending) => {
    const folder = tempFolder();
    const path = join(folder, `a${ending}`);
    makeArchive(path, big);
    const unpacked = await unpack(host, createReadStream(path), "origin", scratchIn(folder));
    expect(readFileSync(join(unpacked.folder, "etc/issue"), "utf8")).toBe("hello\n");
    expect(readFileSync(join(unpacked.folder, "big/random"), "utf8")).toBe(big["big/random"]);
    expect(unpacked.digest).toBe(digestOf(path));
    expect(unpacked.bytes).toBe(statSync(path).size);
  });

  test("the content says how an archive is compressed, not its name", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.zst"), big);
    const unpacked = await unpack(host, createReadStream(join(folder, "a.tar.zst")), "https://h/a.tar.gz", scratchIn(folder));
    expect(readdirSync(unpacked.folder).sort()).toEqual(["big", "etc"]);
  });

  test("an archive that comes a byte at a time", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), { a: "b" });
    const bytes = readFileSync(join(folder, "a.tar.gz"));
    const unpacked = await unpack(host, Readable.from(Array.from(bytes, (byte) => Buffer.from([byte]))), "origin", scratchIn(folder));
    expect(readdirSync(unpacked.folder)).toEqual(["a"]);
    expect(unpacked.digest).toBe(digestOf(join(folder, "a.tar.gz")));
  });

  test("the root of an Arch Linux bootstrap archive is its folder root.x86_64", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.zst"), { "root.x86_64/etc/issue": "arch", "pkglist.x86_64.txt": "list" });
    const unpacked = await unpack(host, createReadStream(join(folder, "a.tar.zst")), "origin", scratchIn(folder));
    expect(readdirSync(unpacked.folder)).toEqual(["etc"]);
  });

  test.each(["nspawn-image.yaml", "usr/bin/x"])("an image that has %s beside a folder of that name is taken whole", async (name) => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), { "root.x86_64/a": "1", keep: "2", [name]: "" });
    const unpacked = await unpack(host, createReadStream(join(folder, "a.tar.gz")), "origin", scratchIn(folder));
    expect(readFileSync(join(unpacked.folder, "keep"), "utf8")).toBe("2");
    expect(readFileSync(join(unpacked.folder, "root.x86_64/a"), "utf8")).toBe("1");
  });

  test("a root that only looks like one has a file of that name", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), { "root.x86_64": "a file", etc: "x" });
    const unpacked = await unpack(host, createReadStream(join(folder, "a.tar.gz")), "origin", scratchIn(folder));
    expect(readdirSync(unpacked.folder).sort()).toEqual(["etc", "root.x86_64"]);
  });

  test.each([".tar", ".tar.gz", ".tar.xz", ".tar.zst"])(
    "half of a %s archive is an error that names it, and nothing goes on",
    async (ending) => {
      const folder = tempFolder();
      const path = join(folder, `a${ending}`);
      makeArchive(path, big);
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
      await expect(unpack(host, createReadStream(path), "https://h/a.tar", scratchIn(folder))).rejects.toThrow(
        /^https:\/\/h\/a\.tar cannot be extracted: (its member .* is cut off$|it is cut off or damaged: .)/,
      );
      expect(children()).toEqual([]);
    },
  );

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a web page", Buffer.from("<html>404 not found</html>".repeat(100))],
    ["a broken gzip", Buffer.from("1f8b0800000000000003ffffffffffff", "hex")],
    ["an unfinished magic", Buffer.from("fd377a", "hex")],
  ])("%s is no archive", async (_, bytes) => {
    const folder = tempFolder();
    await expect(unpack(host, Readable.from([bytes]), "https://h/a.tar.gz", scratchIn(folder))).rejects.toThrow(/https:\/\/h\/a\.tar\.gz/);
    expect(children()).toEqual([]);
  });

  test("a download that breaks off is the error that it broke off with", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), big);
    const bytes = readFileSync(join(folder, "a.tar.gz"));
    const body = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 1000);
        throw new Error("the connection was reset");
      })(),
    );
    await expect(unpack(host, body, "https://h/a.tar.gz", scratchIn(folder))).rejects.toThrow(/connection was reset/);
    expect(children()).toEqual([]);
  });

  // As GNU tar, gzip and unzip do: see docs/architecture.md.
  test.each([
    ["a tar archive that is cut within the padding behind its end mark", "tar -cf a -C in .; truncate -s -512 a"],
    ["a gzip archive with zeros behind it", "tar -czf a -C in .; truncate -s +512 a"],
    ["a gzip archive with a byte behind it", "tar -czf a -C in .; echo >> a"],
    ["a gzip archive with megabytes behind it", "tar -czf a -C in .; head -c 5000000 /dev/zero >> a"],
    ["a gzip archive of several", "tar -cf b -C in .; head -c 2000 b | gzip > a; tail -c +2001 b | gzip >> a"],
    ["a zip archive that is appended to itself", "cp a.zip a; cat a.zip >> a"],
  ])("%s is whole", async (_, make) => {
    const folder = tempFolder();
    writeFiles(folder, { "in/etc/issue": "hello\n" });
    writeFileSync(join(folder, "a.zip"), zipOf([{ name: "etc/issue", content: "hello\n" }]));
    execFileSync("sh", ["-ec", make], { cwd: folder });
    const unpacked = await unpack(host, createReadStream(join(folder, "a")), "origin", scratchIn(folder));
    expect(readFileSync(join(unpacked.folder, "etc/issue"), "utf8")).toBe("hello\n");
    expect(unpacked.digest).toBe(digestOf(join(folder, "a")));
  });

  test("members that point out of the folder stay inside", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "in/x/y": "evil" });
    execFileSync("tar", ["-cf", join(folder, "a.tar"), "-P", "--transform=s,^y,../../outside,", "-C", join(folder, "in/x"), "y"]);
    const scratch = scratchIn(folder);
    await unpack(host, createReadStream(join(folder, "a.tar")), "origin", scratch).catch(() => undefined);
    expect(readdirSync(folder).sort()).toEqual(["a.tar", "in", "scratch"]);
    expect(readdirSync(scratch)).toEqual(["layer"]);
  });

  test("a symlink and then a file behind it do not lead out", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "victim"));
    writeFiles(folder, { "two/link/file": "evil" });
    execFileSync(
      "sh",
      ["-ec", `mkdir one; ln -s "$1/victim" one/link; tar -cf a.tar -C one link; tar -rf a.tar -C two link/file`, "sh", folder],
      { cwd: folder },
    );
    await unpack(host, createReadStream(join(folder, "a.tar")), "origin", scratchIn(folder)).catch(() => undefined);
    expect(readdirSync(join(folder, "victim"))).toEqual([]);
  });

  test("owners, modes and set-uid bits are as they were packed", async () => {
    const folder = tempFolder();
    execFileSync(
      "sh",
      ["-ec", "mkdir in; echo x > in/su; chown 123:456 in/su; chmod 4711 in/su; mkdir -m 1777 in/tmp; tar -czf a.tar.gz -C in ."],
      { cwd: folder },
    );
    const unpacked = await unpack(host, createReadStream(join(folder, "a.tar.gz")), "origin", scratchIn(folder));
    const stat = statSync(join(unpacked.folder, "su"));
    expect([stat.uid, stat.gid, stat.mode & 0o7777]).toEqual([123, 456, 0o4711]);
    expect(statSync(join(unpacked.folder, "tmp")).mode & 0o7777).toBe(0o1777);
  });
});
