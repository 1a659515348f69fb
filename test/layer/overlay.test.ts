import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Result } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { inMountNamespace } from "../../src/host/namespace.js";
import { makeUpper, mountThen, type Overlay, prepareOverlay } from "../../src/layer/overlay.js";
import { there, writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

describe("prepareOverlay", () => {
  test("layers get short names, in their order, whatever their paths are", async () => {
    const folder = join(tempFolder(), "o");
    const lowers = ["/layers/a,b:c\\d", "/layers/e f"];
    const { options, mountPoint } = prepareOverlay(folder, { lowers, upper: { folder: "/up", work: "/wo" } });
    const [lowerdir = "", ...rest] = options.split(",");
    expect(lowerdir).toMatch(/^lowerdir=1:2(:3)?$/);
    expect(rest).toEqual(expect.arrayContaining(["upperdir=u", "workdir=w", "index=off", "metacopy=off", "redirect_dir=off"]));
    expect([1, 2].map((name) => readlinkSync(join(folder, String(name))))).toEqual(lowers);
    expect([readlinkSync(join(folder, "u")), readlinkSync(join(folder, "w"))]).toEqual(["/up", "/wo"]);
    expect(lstatSync(mountPoint).isDirectory()).toBe(true);
  });

  test.each([0, 1, 2])("%i lower layers alone are at least two for the kernel, all of them there", async (count) => {
    const folder = join(tempFolder(), "o");
    const lowers = Array.from({ length: count }, (_, index) => `/layers/${index}`);
    const { options } = prepareOverlay(folder, { lowers });
    const names = there(options.split(",")[0]).slice("lowerdir=".length).split(":");
    expect(names.length).toBeGreaterThanOrEqual(2);
    expect(names.slice(0, count).map((name) => readlinkSync(join(folder, name)))).toEqual(lowers);
    for (const name of names) expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
    expect(options).not.toContain("upperdir");
  });

  test("as many layers as Linux stacks fit into one page, one more is refused", async () => {
    const lowers = Array.from({ length: 499 }, (_, index) => `/${"x".repeat(200)}/${index}`);
    const { options } = prepareOverlay(join(tempFolder(), "o"), { lowers, upper: { folder: "/u", work: "/w" } });
    expect(options.length).toBeLessThan(4096);
    expect(() => prepareOverlay(join(tempFolder(), "o"), { lowers: Array(501).fill("/x") })).toThrow(/501 layers are more than/);
  });

  test("five hundred layers and what is put below them are not more than Linux stacks", async () => {
    const { options } = prepareOverlay(join(tempFolder(), "o"), { lowers: Array(500).fill("/x") });
    expect(there(options.split(",")[0]).split(":").length).toBeLessThanOrEqual(500);
  });
});

describe("makeUpper", () => {
  test("the upper root looks like the root below", async () => {
    const folder = tempFolder();
    const below = join(folder, "below");
    mkdirSync(below, { mode: 0o750 });
    chownSync(below, 12, 34);
    chmodSync(below, 0o1750);
    const upper = makeUpper(join(folder, "step"), below);
    const { mode, uid, gid } = lstatSync(upper.folder);
    expect([mode & 0o7777, uid, gid]).toEqual([0o1750, 12, 34]);
    expect(lstatSync(upper.work).isDirectory()).toBe(true);
  });

  test("the root's ACL and extended attributes come too", async () => {
    const folder = tempFolder();
    const below = join(folder, "below");
    mkdirSync(join(below, "not-copied"), { recursive: true });
    execFileSync("sh", ["-ec", 'setfacl -m u:1234:rx "$1"; setfattr -n user.note -v hello "$1"', "sh", below]);
    const upper = makeUpper(join(folder, "step"), below);
    const read = (path: string): string =>
      execFileSync("sh", ["-ec", 'cd "$1"; getfacl -n .; getfattr -d .', "sh", path], { encoding: "utf8" });
    expect(read(upper.folder)).toBe(read(below));
    expect(read(below)).toContain("user:1234:r-x");
    expect(readdirSync(upper.folder)).toEqual([]);
  });

  test("of a folder's default ACL it inherits nothing, with a root below and without", () => {
    const folder = tempFolder();
    execFileSync("sh", ["-ec", 'setfacl -d -m u:1234:rwx "$1"', "sh", folder]);
    for (const below of [undefined, tempFolder()]) {
      const upper = makeUpper(join(folder, below === undefined ? "without" : "with"), below);
      expect(execFileSync("sh", ["-ec", 'cd "$1"; getfacl -n .', "sh", upper.folder], { encoding: "utf8" })).not.toContain("1234");
    }
  });

  test("without a root below it is the usual one, whatever the umask is", async () => {
    const umask = process.umask(0o077);
    try {
      const { mode, uid } = lstatSync(makeUpper(join(tempFolder(), "step"), undefined).folder);
      expect([mode & 0o7777, uid]).toEqual([0o755, 0]);
    } finally {
      process.umask(umask);
    }
  });
});

describe("mountThen", () => {
  test("folder, options and the program are arguments, never part of the shell's script", () => {
    const argv = mountThen({ folder: "/a;b", options: "", mountPoint: "/a;b/root", marker: "$(x)" }, ["prog", "$HOME"]);
    const script = there(argv.find((word) => word.includes("mount --all")));
    for (const data of ["/a;b", "$(x)", "$HOME"]) expect(script).not.toContain(data);
    expect(argv.slice(-4)).toEqual(["/a;b", "$(x)", "prog", "$HOME"]);
  });

  const host = new LocalHost();
  const run = (overlay: Overlay, script: string): Promise<Result> =>
    host.run({ argv: inMountNamespace(mountThen(overlay, ["sh", "-ec", script])) });

  test
    .skipIf(process.getuid?.() !== 0)
    .each(["plain", "with space", "tab\tand\nline", "back\\slash\\040", "#hash", "ünï", "no\u00a0break\u3000"])(
    "the layers are seen at the mount point, in whatever folder: %j",
    async (name) => {
      const folder = join(tempFolder(), name);
      writeFiles(folder, { "a/one": "1", "b/two": "2" });
      const upper = makeUpper(join(folder, "step"), undefined);
      const overlay = prepareOverlay(join(folder, "o"), { lowers: [join(folder, "a"), join(folder, "b")], upper });
      const { stdout } = await run(overlay, "cd root; ls -A; echo 3 > three; ls -A /run/systemd/nspawn");
      expect(stdout).toBe("one\ntwo\n");
      expect(readdirSync(upper.folder)).toEqual(["three"]);
    },
  );

  test.skipIf(process.getuid?.() !== 0)("nothing is done where the overlay cannot be mounted, or is left out", async () => {
    const folder = tempFolder();
    const overlay = prepareOverlay(join(folder, "o"), { lowers: [join(folder, "gone"), join(folder, "gone too")] });
    await expect(run(overlay, "echo done")).rejects.toMatchObject({ output: expect.stringContaining("mount: ") });
    for (const line of ["", `overlay ${overlay.mountPoint} overlay noauto 0 0\n`]) {
      writeFileSync(join(overlay.folder, "fstab"), line);
      await expect(run(overlay, "echo done")).rejects.toMatchObject({ output: expect.stringContaining("root: not mounted") });
    }
  });
});
