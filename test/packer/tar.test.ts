import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import type { Argv } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { compressor } from "../../src/packer/compression.js";
import { createArchive, extractTar, pipeTar, type TarSource } from "../../src/packer/tar.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { listTree, sh } from "../support/tree.js";

const host = new LocalHost();
const oddNames = [
  "new\nline",
  "back\\slash",
  "\\012",
  "-rf",
  "--help",
  "-C",
  "two words",
  " lead",
  "trail ",
  "*",
  "$HOME",
  "ünï",
  "😀",
  "@x",
  "a=b",
  "x".repeat(250),
].map(toBytes);
const names = [...oddNames, "\xff\xfe", "a\x80"];

async function pack(path: string, sources: readonly TarSource[], options: Parameters<typeof createArchive>[5] = {}): Promise<string> {
  const hash = createHash("sha256");
  rmSync(path, { force: true });
  const content = { folders: sources.map(({ folder }) => folder), sources: async () => sources };
  await createArchive(
    host,
    content,
    () => ["dd", "status=none"],
    path,
    (bytes) => hash.update(bytes),
    options,
  );
  expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(hash.copy().digest("hex"));
  return hash.digest("hex");
}

async function unpack(path: string, folder: string): Promise<void> {
  mkdirSync(folder);
  await extractTar(host, createReadStream(path), folder, { layer: true });
}

const source = (folder: string, ...names: readonly string[]): TarSource => ({ folder: Buffer.from(folder), names });

/** Two folders, one with names that are hard for tar. */
function twoFolders(folder: string): readonly TarSource[] {
  const [one, two] = [join(folder, "one"), join(folder, "two -C\\n\nx")];
  mkdirSync(one);
  mkdirSync(two);
  for (const name of names) writeFileSync(bytePath(one, name), name);
  writeFiles(two, { "dir/inner/f": "two" });
  sh(
    two,
    "ln -s /nowhere dir/link; mkfifo dir/pipe; mknod dir/whiteout c 0 0; ln dir/inner/f dir/hard; chmod 4711 dir/inner/f; chown 12:34 dir; chmod 1770 dir",
  );
  return [
    source(two, ""),
    source(one, ...names),
    source(two, "dir", "dir/hard", "dir/inner", "dir/inner/f", "dir/link", "dir/pipe", "dir/whiteout"),
  ];
}

describe("createArchive and extractTar", () => {
  test("users are numbers, in ACLs too, whatever this host calls them", async () => {
    const folder = tempFolder();
    sh(folder, "mkdir a; setfacl -m u:0:rx,u:33:r,g:4242:r a; setfacl -d -m u:33:r a; chown 33 a");
    await pack(join(folder, "a.tar"), [source(join(folder, "a"), "")]);
    const archive = readFileSync(join(folder, "a.tar"), "latin1");
    expect(archive).toContain("SCHILY.acl.access=user::rwx\nuser:0:r-x\nuser:33:r--\ngroup::r-x\ngroup:4242:r--");
    expect(archive).not.toContain("www-data");
    await unpack(join(folder, "a.tar"), join(folder, "out"));
    expect(sh(folder, "getfacl -n out")).toBe(sh(folder, "cd a; getfacl -n .").replace("# file: .", "# file: out"));
  });

  test("files of several folders with any names come back byte for byte", async () => {
    const folder = tempFolder();
    const sources = twoFolders(folder);
    await pack(join(folder, "a.tar"), sources);
    await unpack(join(folder, "a.tar"), join(folder, "out"));
    sh(folder, 'mkdir expected; cp -a one/. expected/; cp -a "$1/dir" expected/; touch -r "$1" expected', "two -C\\n\nx");
    expect(listTree(join(folder, "out"))).toEqual(listTree(join(folder, "expected")));
    expect(sh(folder, "stat -c %h out/dir/hard")).toBe("2\n");
  });

  test("two runs give the same bytes, also from a copy made at another time elsewhere", async () => {
    const folder = tempFolder();
    const sources = twoFolders(folder);
    const first = await pack(join(folder, "a.tar"), sources);
    await new Promise((done) => setTimeout(done, 1100));
    for (const name of names) readFileSync(bytePath(join(folder, "one"), name));
    expect(await pack(join(folder, "b.tar"), sources)).toBe(first);
    sh(folder, "mkdir copies; cp -a one two* copies/");
    const copies = sources.map(({ folder: path, names }) => ({
      folder: Buffer.from(path.toString().replace(folder, join(folder, "copies"))),
      names,
    }));
    expect(await pack(join(folder, "c.tar"), copies)).toBe(first);
  });

  test.each(["gz", "xz", "zst"] as const)(
    "the same tree, made in another order at another time, is the same .tar.%s",
    async (compression) => {
      const folder = tempFolder();
      const names = ["", "d", "d/a", "d/b", "d/hard", "d/link", "d/sparse", "z"];
      const make = (name: string, order: string): TarSource => {
        sh(
          folder,
          `mkdir -p ${name}/d; cd ${name}; for f in ${order}; do case $f in
          a) head -c 70000 /dev/zero | tr '\\0' x > d/a; ln d/a d/hard;; b) echo b > d/b; setfattr -n user.k -v v d/b;;
          l) ln -s a d/link;; s) truncate -s 1M d/sparse; printf end >> d/sparse;; z) echo z > z; chmod 600 z;; esac; done; find . -exec touch -h {} +`,
        );
        return source(join(folder, name), ...names);
      };
      const digest = async (from: TarSource): Promise<string> => {
        const tar = join(folder, "tar");
        await pack(tar, [from], { clampTime: 1_000_000_000 });
        const [program, ...args] = compressor(compression);
        return createHash("sha256")
          .update(execFileSync(program, args, { input: readFileSync(tar) }))
          .digest("hex");
      };
      const first = await digest(make("one", "a b l s z"));
      await new Promise((done) => setTimeout(done, 1100));
      expect(await digest(make("two", "z s l b a"))).toBe(first);
      sh(folder, "echo other > two/d/b");
      expect(await digest(source(join(folder, "two"), ...names))).not.toBe(first);
    },
  );

  test("members begin with ./, in the order given, and the root comes as ./", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "z/f": "", a: "" });
    // Elsewhere: tar complains of a folder that changes while it is read.
    const elsewhere = tempFolder();
    await pack(join(elsewhere, "a.tar"), [source(folder, "", "z", "z/f", "a")]);
    expect(sh(elsewhere, "tar -tf a.tar")).toBe("./\n./z/\n./z/f\n./a\n");
  });

  test("names that are never known are the error, and one from an unknown folder is none of the archive's", async () => {
    const folder = tempFolder();
    const other = tempFolder();
    const create = (sources: () => Promise<readonly TarSource[]>): Promise<void> =>
      createArchive(
        host,
        { folders: [Buffer.from(folder)], sources },
        () => ["dd", "status=none"],
        join(other, "a.tar"),
        () => undefined,
      );
    await expect(create(() => Promise.reject(new Error("no names")))).rejects.toThrow("no names");
    rmSync(join(other, "a.tar"));
    await expect(create(async () => [source(other, "a")])).rejects.toThrow("none of the archive's folders");
  });

  test("the program that compresses is chosen by the bytes of the files that are named, links to them not followed", async () => {
    const folder = tempFolder();
    writeFiles(folder, { a: "12345", "d/b": "123", other: "x".repeat(100) });
    sh(folder, "ln -s other link; mkdir big; truncate -s 9M big/1; truncate -s 9M big/2");
    const seen: number[] = [];
    for (const names of [["", "a", "d", "d/b", "link"], ["big/1", "big/2"], []]) {
      const path = join(tempFolder(), "a.tar");
      const compress = (bytes: number): Argv => {
        seen.push(bytes);
        return ["dd", "status=none"];
      };
      const content = { folders: [Buffer.from(folder)], sources: async () => [source(folder, ...names)] };
      await createArchive(host, content, compress, path, () => undefined);
    }
    // Of many bytes not all are counted.
    expect(seen).toEqual([8, 9 << 20, 0]);
  });

  test("the same files give the same bytes, from however many folders they come", async () => {
    const folder = tempFolder();
    const made = (name: string, files: readonly string[]): string => {
      writeFiles(join(folder, name), Object.fromEntries(files.map((file) => [file, file])));
      // What needs extended headers: fractions of seconds, attributes, long names.
      sh(join(folder, name), "find . -exec touch -d @1000000000.123456789 {} + ; find . -name f -exec setfattr -n user.x -v 1 {} +");
      return join(folder, name);
    };
    const names = ["d", "d/f", `d/${"n".repeat(120)}`, "e", "e/f"];
    const whole = made("whole", ["d/f", `d/${"n".repeat(120)}`, "e/f"]);
    const [one, two] = [made("one", ["d/f", "e/f"]), made("two", [`d/${"n".repeat(120)}`])];
    const parts = [source(one, "d", "d/f"), source(two, `d/${"n".repeat(120)}`), source(one, "e", "e/f")];
    const expected = await pack(join(tempFolder(), "a.tar"), [source(whole, ...names)]);
    expect(await pack(join(tempFolder(), "a.tar"), parts)).toBe(expected);
    expect(await pack(join(tempFolder(), "a.tar"), [source(two), ...parts])).toBe(expected);
  });

  test("a folder brings nothing that is not named", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "z/f": "" });
    await pack(join(folder, "a.tar"), [source(folder, "z")]);
    expect(sh(folder, "tar -tf a.tar")).toBe("./z/\n");
  });

  test("nothing of the host is in the archive: no names of users, no access times", async () => {
    const folder = tempFolder();
    writeFiles(folder, { f: "" });
    sh(folder, "touch -d @1000000000.5 f");
    await pack(join(folder, "a.tar"), [source(folder, "f")]);
    const text = readFileSync(join(folder, "a.tar"), "latin1");
    expect(text).not.toMatch(/root|atime|ctime|nspawn-test/);
    expect(sh(folder, "tar --numeric-owner -tvf a.tar")).toContain("0/0");
  });

  test("times after SOURCE_DATE_EPOCH are set back to it, times before it stay", async () => {
    const folder = tempFolder();
    sh(folder, "echo > old; echo > new; touch -d @1000 old; touch -d @9000 new");
    await pack(join(folder, "a.tar"), [source(folder, "old", "new")], { clampTime: 5000 });
    await unpack(join(folder, "a.tar"), join(folder, "out"));
    expect(sh(join(folder, "out"), "stat -c %Y old new")).toBe("1000\n5000\n");
  });

  test("attributes travel: user.*, capabilities, ACLs, marks of opaque folders; those of this host do not", async () => {
    const folder = tempFolder();
    sh(
      folder,
      "mkdir in in/d; echo > in/f; setfattr -n user.a -v 'x=y' in/f; setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 in/f; setfacl -m u:33:rx in/f; setfattr -n trusted.overlay.opaque -v y in/d; setfattr -n trusted.overlay.origin -v z in/d; setfattr -n trusted.mine -v z in/d",
    );
    await pack(join(folder, "a.tar"), [source(join(folder, "in"), "", "d", "f")]);
    await unpack(join(folder, "a.tar"), join(folder, "out"));
    const attributes = (path: string): string =>
      sh(folder, 'getfattr -d -m "^(user|security.capability|trusted)" -e hex "$1" | sed 1d; getfacl -n --omit-header "$1"', path);
    expect(attributes("out/f")).toBe(attributes("in/f"));
    expect(attributes("out/f")).toContain("user:33:r-x");
    expect(attributes("out/d")).toContain("trusted.overlay.opaque");
    expect(attributes("out/d")).not.toMatch(/origin|mine/);
  });

  test("big numbers travel: sizes, owners and times that old formats cannot hold", async () => {
    const folder = tempFolder();
    sh(folder, "mkdir in; truncate -s 9G in/f; chown 4000000:4000001 in/f; touch -d @10000000000.25 in/f");
    await pack(join(folder, "a.tar"), [source(join(folder, "in"), "f")]);
    await unpack(join(folder, "a.tar"), join(folder, "out"));
    expect(sh(folder, "stat -c '%s %u %g %.2Y' out/f")).toBe("9663676416 4000000 4000001 10000000000.25\n");
    expect(Number(sh(folder, "stat -c %b out/f"))).toBeLessThan(100);
  });

  test("a file that is not there is an error, not an archive without it", async () => {
    const folder = tempFolder();
    await expect(pack(join(folder, "a.tar"), [source(folder, "none")])).rejects.toThrow(/tar failed/);
  });

  test("no sources are an empty archive", async () => {
    const folder = tempFolder();
    await pack(join(folder, "a.tar"), []).then(
      () => expect(sh(folder, "tar -tf a.tar")).toBe(""),
      (error: unknown) => expect(String(error)).toMatch(/empty archive|tar failed/),
    );
  });
});

const asRoot = { owner: "root", folders: "keep" } as const;

describe("pipeTar", () => {
  test("files arrive owned by root, and folders that are there keep what they are", async () => {
    const folder = tempFolder();
    sh(folder, "mkdir -p in/d out/d; echo x > in/d/f; chown -R 12:34 in; chmod 700 in/d; chmod 711 out/d; chown 5:6 out/d");
    await pipeTar(host, [source(join(folder, "in"), "d", "d/f")], join(folder, "out"), asRoot);
    expect(sh(folder, "stat -c '%u:%g %a' out/d out/d/f")).toBe("5:6 711\n0:0 644\n");
  });

  test("with owner same and folders overwrite everything is as it was", async () => {
    const folder = tempFolder();
    sh(folder, "mkdir -p in/d out/d; chown 12:34 in/d; chmod 700 in/d");
    await pipeTar(host, [source(join(folder, "in"), "d")], join(folder, "out"), { owner: "same", folders: "overwrite" });
    expect(sh(folder, "stat -c '%u:%g %a' out/d")).toBe("12:34 700\n");
  });

  test("a target that is not there is an error of the one that extracts, and nobody hangs", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "big"), Buffer.alloc(20_000_000, 1));
    await expect(pipeTar(host, [source(folder, "big")], join(folder, "none"), asRoot)).rejects.toThrow(/no such file or directory/);
  });

  test("a source that is not there is an error, and nobody hangs", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "out"));
    await expect(pipeTar(host, [source(folder, "none")], join(folder, "out"), asRoot)).rejects.toThrow(/tar failed/);
  });
});
