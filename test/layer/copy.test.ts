import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { bytePath, toBytes } from "../../src/base/byte-path.js";
import { LocalHost } from "../../src/host/local.js";
import { copyIntoRoot } from "../../src/layer/copy.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { listTree, sh } from "../support/tree.js";

const host = new LocalHost();
let folder: string;
let root: string;
let source: string;

beforeEach(() => {
  folder = tempFolder();
  root = join(folder, "root");
  source = join(folder, "source");
  for (const path of [root, source, join(folder, "outside")]) mkdirSync(path);
});

const copy = (target: string, from = source): Promise<void> => copyIntoRoot(host, { source: from, root, target });
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const mode = (path: string): number => lstatSync(join(root, path)).mode & 0o7777;

describe("folders", () => {
  test("a folder is copied with all that is in it, times and modes kept, owned by root", async () => {
    sh(
      source,
      "mkdir -p a/b; echo x > a/b/f; chmod 640 a/b/f; ln -s ../f a/l; mkfifo a/p; touch -d @1000000000.123456789 a/b/f; touch -h -d @1000000001 a/l; chmod 2750 a; touch -d @1000000002 a; chown -R 123:456 .",
    );
    await copy("/opt/new");
    expect(listTree(join(root, "opt/new/a"))).toEqual(listTree(join(source, "a")).map((line) => line.replace("123:456", "0:0")));
    expect(statSync(join(root, "opt/new/a/b/f"), { bigint: true }).mtimeNs).toBe(1_000_000_000_123_456_789n);
  });

  test("a new folder gets the mode of its source, folders above it the usual one", async () => {
    sh(source, "chmod 700 .");
    await copy("/a/b/c");
    expect([mode("a"), mode("a/b"), mode("a/b/c")]).toEqual([0o755, 0o755, 0o700]);
  });

  test("bits that the umask takes from new files are kept", async () => {
    sh(source, "mkdir d; echo > f; chmod 2775 . d; chmod 666 f; touch -d @1000 .");
    await copy("/a/b");
    expect([mode("a"), mode("a/b"), mode("a/b/d"), mode("a/b/f")].map((bits) => bits.toString(8))).toEqual(["755", "2775", "2775", "666"]);
    expect(lstatSync(join(root, "a/b")).mtimeMs).toBe(1_000_000);
  });

  test("a folder merges into an existing one, which keeps its mode, its owner and what it has", async () => {
    writeFiles(root, { "etc/old": "old", "etc/same": "old", "etc/sub/old": "old" });
    sh(root, "chmod 711 etc; chmod 1777 etc/sub; chown 7:8 etc etc/sub; touch etc/same");
    writeFiles(source, { same: "new", new: "new", "sub/new": "new" });
    sh(source, "chmod 700 . sub");
    await copy("/etc");
    expect(readdirSync(join(root, "etc")).sort()).toEqual(["new", "old", "same", "sub"]);
    expect([read("etc/old"), read("etc/same"), read("etc/sub/new"), read("etc/sub/old")]).toEqual(["old", "new", "new", "old"]);
    expect([mode("etc"), mode("etc/sub")]).toEqual([0o711, 0o1777]);
    expect([lstatSync(join(root, "etc")).uid, lstatSync(join(root, "etc/sub")).gid]).toEqual([7, 8]);
  });

  test("a folder goes to the root itself", async () => {
    sh(root, "chmod 700 .");
    writeFiles(source, { "etc/a": "x" });
    await copy("/");
    expect(read("etc/a")).toBe("x");
    expect(lstatSync(root).mode & 0o777).toBe(0o700);
  });

  test("an empty folder is made", async () => {
    await copy("/empty/");
    expect(readdirSync(join(root, "empty"))).toEqual([]);
  });

  test("the source stays as it is", async () => {
    sh(source, "mkdir a; echo x > a/f; chown -R 1:2 .; touch -d @5 a");
    const before = listTree(source);
    await copy("/x");
    expect(listTree(source)).toEqual(before);
  });
});

describe("symlinks in the root", () => {
  test("a symlink to a folder is followed inside the root", async () => {
    sh(root, "mkdir -p usr/bin; ln -s usr/bin bin; ln -s /usr/bin abs");
    writeFiles(source, { "bin/a": "a", "abs/b": "b", "usr/bin/c": "c" });
    await copy("/");
    expect(readdirSync(join(root, "usr/bin")).sort()).toEqual(["a", "b", "c"]);
    expect(readlinkSync(join(root, "bin"))).toBe("usr/bin");
    expect(readlinkSync(join(root, "abs"))).toBe("/usr/bin");
  });

  test("a symlink above the target is followed inside the root", async () => {
    sh(root, "mkdir -p usr/lib; ln -s /usr/lib lib");
    writeFiles(source, { f: "x" });
    await copy("/lib/deep");
    expect(read("usr/lib/deep/f")).toBe("x");
  });

  test("symlinks to folders in folders behind symlinks", async () => {
    sh(root, "mkdir -p real/one real/two; ln -s /real/one a; ln -s ../two real/one/b");
    writeFiles(source, { "a/b/f": "x", "a/g": "y" });
    await copy("/");
    expect([read("real/two/f"), read("real/one/g")]).toEqual(["x", "y"]);
  });

  test("an absolute symlink, or one with many .., never leads out of the root", async () => {
    const outside = join(folder, "outside");
    symlinkSync(outside, join(root, "abs"));
    symlinkSync("../outside", join(root, "rel"));
    writeFiles(source, { f: "x" });
    for (const name of ["abs", "rel"]) {
      await copy(`/${name}/sub`).catch(() => undefined);
      await copy(`/${name}`).catch(() => undefined);
      writeFiles(folder, { [`tree/${name}/f`]: "x" });
      await copy("/", join(folder, "tree")).catch(() => undefined);
      await copy(`/${name}/f`, join(source, "f")).catch(() => undefined);
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  test("a dangling symlink where a folder goes is an error that names it", async () => {
    symlinkSync("/nowhere", join(root, "link"));
    writeFiles(source, { "link/f": "x" });
    await expect(copy("/")).rejects.toThrow(/\/link is a symlink that leads to no folder/);
  });

  test("a symlink where a file goes is replaced, not written through", async () => {
    writeFiles(root, { "etc/real": "real" });
    symlinkSync("real", join(root, "etc/conf"));
    writeFiles(source, { conf: "new" });
    await copy("/etc");
    expect(read("etc/real")).toBe("real");
    expect(lstatSync(join(root, "etc/conf")).isFile()).toBe(true);
    symlinkSync("real", join(root, "etc/two"));
    await copy("/etc/two", join(source, "conf"));
    expect(read("etc/real")).toBe("real");
    expect(read("etc/two")).toBe("new");
  });

  test("a symlink in the source is copied as such, also over a symlink and over a file", async () => {
    sh(source, "ln -s target a; ln -s /abs b; ln -s none c");
    sh(root, "mkdir etc; ln -s other etc/a; echo file > etc/b");
    await copy("/etc");
    expect(["a", "b", "c"].map((name) => readlinkSync(join(root, "etc", name)))).toEqual(["target", "/abs", "none"]);
  });
});

describe("files", () => {
  test("a file goes to its target, with the folders above", async () => {
    writeFiles(source, { f: "x" });
    sh(source, "chown 5:6 f; chmod 4750 f; touch -d @1000000000 f");
    await copy("/opt/a/new", join(source, "f"));
    const { uid, gid, mtimeMs } = lstatSync(join(root, "opt/a/new"));
    expect([uid, gid, mtimeMs, mode("opt/a/new"), mode("opt/a")]).toEqual([0, 0, 1_000_000_000_000, 0o4750, 0o755]);
    expect(readdirSync(join(root, "opt/a"))).toEqual(["new"]);
  });

  test("a file goes into an existing folder, or one that is written with a slash", async () => {
    writeFiles(source, { f: "x" });
    mkdirSync(join(root, "etc"));
    await copy("/etc", join(source, "f"));
    await copy("/opt/", join(source, "f"));
    expect([read("etc/f"), read("opt/f")]).toEqual(["x", "x"]);
  });

  test("a file goes into the root, and over a file that is there", async () => {
    writeFiles(source, { f: "x" });
    await copy("/f", join(source, "f"));
    writeFileSync(join(source, "f"), "y");
    await copy("/f", join(source, "f"));
    expect(read("f")).toBe("y");
    await copy("/", join(source, "f"));
    expect(readdirSync(root)).toEqual(["f"]);
  });

  test("a file goes to a target whose name is not ASCII, or has an odd one", async () => {
    writeFiles(source, { "-f x": "x" });
    for (const target of ["/ünï", "/a\nb", "/-r", "/back\\slash", "/two words"]) {
      await copy(target, join(source, "-f x"));
      expect(read(target), target).toBe("x");
    }
  });

  test("a symlink as the source is copied as such", async () => {
    sh(source, "ln -s /nowhere l");
    await copy("/l", join(source, "l"));
    expect(readlinkSync(join(root, "l"))).toBe("/nowhere");
  });

  test("a hole in a file stays a hole", async () => {
    sh(source, "truncate -s 64M f; printf x | dd of=f bs=1 seek=33000000 conv=notrunc status=none");
    await copy("/f", join(source, "f"));
    await copy("/all");
    for (const path of ["f", "all/f"]) {
      const { size, blocks } = statSync(join(root, path));
      expect(size).toBe(64 << 20);
      expect(blocks * 512, path).toBeLessThan(1 << 20);
    }
    expect(sh(folder, "cmp source/f root/all/f && echo same")).toBe("same\n");
  });
});

describe("files against folders", () => {
  test("a file of the source where the root has a folder is an error that names it, and nothing is copied", async () => {
    writeFiles(root, { "etc/a/x": "" });
    writeFiles(source, { a: "file", b: "b" });
    await expect(copy("/etc")).rejects.toThrow("/etc/a is a folder there and a file in the source");
    expect(readdirSync(join(root, "etc"))).toEqual(["a"]);
  });

  test("a folder of the source where the root has a file is an error that names it, and nothing is copied", async () => {
    writeFiles(root, { "etc/a": "" });
    writeFiles(source, { "a/x": "", b: "b" });
    await expect(copy("/etc")).rejects.toThrow("/etc/a is a file there and a folder in the source");
    expect(readdirSync(join(root, "etc"))).toEqual(["a"]);
  });

  test("a folder to a target that is a file, or lies below one, is an error that names it", async () => {
    writeFiles(root, { "etc/a": "" });
    await expect(copy("/etc/a")).rejects.toThrow("/etc/a is a file there and a folder in the source");
    await expect(copy("/etc/a/b")).rejects.toThrow(/etc\/a\b.*(file|folder)/);
    writeFiles(source, { f: "" });
    await expect(copy("/etc/a/b", join(source, "f"))).rejects.toThrow(/etc\/a\b.*(file|folder)/);
  });

  test("a file where a folder of its own name is in the target folder", async () => {
    writeFiles(root, { "etc/f/x": "" });
    writeFiles(source, { f: "" });
    await expect(copy("/etc", join(source, "f"))).rejects.toThrow(/is a folder/);
  });
});

describe("what travels with files", () => {
  test("hard links stay hard links", async () => {
    sh(source, "mkdir a b; echo x > a/one; ln a/one b/two; ln a/one three");
    await copy("/opt");
    const inodes = ["a/one", "b/two", "three"].map((name) => statSync(join(root, "opt", name)).ino);
    expect(new Set(inodes).size).toBe(1);
    expect(inodes[0]).not.toBe(statSync(join(source, "three")).ino);
  });

  test("a hard link in the root is not written through", async () => {
    sh(root, "mkdir etc; echo old > etc/a; ln etc/a etc/b");
    writeFiles(source, { a: "new" });
    await copy("/etc");
    expect([read("etc/a"), read("etc/b")]).toEqual(["new", "old\n"]);
  });

  test("set-uid, set-gid and sticky bits are kept, although the owner changes", async () => {
    sh(source, "echo > s; mkdir d t; chown 12:34 s d t; chmod 6755 s; chmod 2775 d; chmod 1777 t");
    await copy("/opt");
    expect([mode("opt/s"), mode("opt/d"), mode("opt/t")]).toEqual([0o6755, 0o2775, 0o1777]);
    await copy("/s", join(source, "s"));
    expect(mode("s")).toBe(0o6755);
  });

  test("extended attributes, capabilities and ACLs are kept, of files, of folders, and of a single file", async () => {
    sh(
      source,
      "echo > f; mkdir d; for x in f d; do setfattr -n user.text -v 'a b' $x; setfattr -n user.bytes -v 0x00ff0a $x; setfacl -m u:33:rx,g:44:r $x; done; setfacl -d -m u:55:rwx d; setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 f",
    );
    await copy("/opt");
    await copy("/single", join(source, "f"));
    const attributes = (at: string, name: string): string =>
      sh(at, 'getfattr -d -m "^(user|security.capability)" -e hex "$1" | sed 1d; getfacl -n --omit-header "$1"', name);
    for (const name of ["f", "d"]) expect(attributes(join(root, "opt"), name), name).toBe(attributes(source, name));
    expect(attributes(root, "single")).toBe(attributes(source, "f"));
    expect(attributes(root, "single")).toContain("user.bytes=0x00ff0a");
    expect(attributes(root, "single")).toContain("user:33:r-x");
    expect(attributes(root, "single")).toContain("security.capability=");
  });

  test("marks of overlayfs in a source are not copied", async () => {
    sh(source, "mkdir d; setfattr -n trusted.overlay.opaque -v y d; setfattr -n trusted.mine -v y d");
    await copy("/opt");
    expect(sh(root, "getfattr -d -m - opt/d")).toBe("");
  });

  test("names that are hard for programs arrive as they are", async () => {
    const names = [
      "new\nline",
      "back\\slash",
      "\\012",
      "-rf",
      "--help",
      "-C",
      "two words",
      " lead",
      "trail ",
      "a'b\"c",
      "*",
      "?",
      "[a]",
      "$HOME",
      "!x",
      "#x",
      "~",
      "ünï",
      "😀",
      "%s",
      "a:b",
      "tab\t",
      "x".repeat(255),
    ].map(toBytes);
    for (const name of [...names, "\xff\xfe", "a\x80"]) {
      mkdirSync(bytePath(source, `d-${name}`.slice(0, 255)));
      writeFileSync(bytePath(source, `d-${name}/f`.length > 255 ? name : `d-${name}/${name}`), name);
      writeFileSync(bytePath(source, name), name);
    }
    await copy("/opt");
    expect(listTree(join(root, "opt")).slice(1)).toEqual(listTree(source).slice(1));
  });

  test.each(["two words", "so\nurce", "-C", "back\\new", "it's", 'q"', "$HOME", "#", "ünï", "*"])(
    "a source and a target below a folder named %j",
    async (name) => {
      writeFiles(folder, { [`${name}/from/a b/-f`]: "x" });
      await copy(`/${name}/to`, join(folder, name, "from"));
      expect(read(`${name}/to/a b/-f`)).toBe("x");
    },
  );

  test("folders with any names behind symlinks", async () => {
    sh(root, "mkdir -p 'to wards'; ln -s '/to wards' 'li nk'; ln -s '/to wards' \"q'\"");
    writeFiles(source, { "li nk/f": "x", "q'/g": "y" });
    await copy("/");
    expect([read("to wards/f"), read("to wards/g")]).toEqual(["x", "y"]);
  });

  test("many files and deep folders", async () => {
    sh(source, `mkdir -p $(printf 'deep/%.0s' $(seq 60)); i=0; while [ $i -lt 1500 ]; do echo $i > f$i; i=$((i+1)); done`);
    await copy("/opt");
    expect(listTree(join(root, "opt")).slice(1)).toEqual(listTree(source).slice(1));
  });

  test("a source that is not there is an error", async () => {
    await expect(copy("/x", join(folder, "none"))).rejects.toThrow(/none/);
    expect(existsSync(join(root, "x"))).toBe(false);
  });
});
