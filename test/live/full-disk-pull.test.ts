import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { longTest } from "../support/tries.js";
import { type Ended, Lab, runProgram, Sandbox } from "./support/build.js";
import { type Left, SmallDisk, unclear } from "./support/small-disk.js";
import { layersOf, leaksIn, namesIn, recordsOf, treeHash, whenSynced } from "./support/store.js";

const lab = new Lab("/dev/shm");
let sandbox: Sandbox;
let disk: SmallDisk;
let content: string;
let hash: string;
let config: string;

beforeAll(async () => {
  sandbox = await Sandbox.open();
  disk = await SmallDisk.mount(join(lab.folder, "disk"), sandbox);
  content = join(lab.folder, "content");
  mkdirSync(join(content, "etc"), { recursive: true });
  for (const name of ["one", "two", "three"]) writeFileSync(join(content, "etc", name), `${name}\n`);
  writeFileSync(join(content, "random"), randomBytes(3_000_000));
  // tar(1) keeps whole seconds.
  await runProgram(["find", content, "-exec", "touch", "--date=@1700000000", "{}", "+"]);
  await runProgram(["tar", "-C", content, "-czf", lab.archive("a.tar.gz"), "."]);
  await runProgram(["python3", "-c", "import shutil, sys; shutil.make_archive(*sys.argv[1:])", lab.archive("a"), "zip", content]);
  hash = await treeHash(content);
  config = join(lab.folder, "config.ini");
  writeFileSync(config, "[storage]\nkeep_archives = yes\n");
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

function nspawn(...words: readonly string[]): Promise<Ended> {
  return lab.nspawn(words, { store: disk.folder, env: { NSPAWN_CONFIG_PATH_LIST: config }, within: sandbox.withinMounts });
}

/** What there is in the store: names of layers, archives, and records. Throws if any of it is half, or leaked. */
async function inStore({ isZip = false } = {}): Promise<{ readonly layers: number; readonly archives: number; readonly records: number }> {
  const store = disk.path();
  await whenSynced(store);
  const layers = layersOf(store);
  for (const id of layers) if (!isZip) expect(await treeHash(join(store, "extract", id))).toBe(hash);
  for (const folder of ["extract", "layer", "archive"])
    expect(
      namesIn(disk.path(folder)).map((name) => name.slice(0, 16)),
      folder,
    ).toEqual(layers);
  for (const { digest } of recordsOf(store)) expect(layers).toContain(digest.slice(7, 23));
  expect(leaksIn(store)).toEqual([]);
  return { layers: layers.length, archives: namesIn(disk.path("archive")).length, records: recordsOf(store).length };
}

const whole = { layers: 1, archives: 1, records: 1 };

/** Pulls into an empty store with so much left on its disk, then with enough of it, if wanted. Returns how the first pull ended. */
async function trial(name: string, left: Left, { again = true } = {}): Promise<Ended> {
  disk.clear();
  await disk.leave(left);
  const ended = await nspawn("image", "pull", lab.url(name));
  const isZip = name.endsWith(".zip");
  const { records } = await inStore({ isZip });
  expect(records).toBe(ended.code === 0 ? 1 : 0);
  if (ended.code !== 0) expect(unclear(ended, disk.folder)).toBeUndefined();
  await disk.grow();
  if (again) {
    const { code, stderr } = await nspawn("image", "pull", lab.url(name));
    expect(code, stderr).toBe(0);
    expect(await inStore({ isZip })).toEqual(whole);
  }
  return ended;
}

function headline({ stderr }: Ended): string {
  return /^error: .*$/m.exec(stderr)?.[0] ?? stderr;
}

describe("a pull that keeps the archive, on a full disk", () => {
  longTest("with any number of inodes left", async () => {
    const ends: Ended[] = [];
    for (let inodes = 0; ends.at(-1)?.code !== 0; inodes++) ends.push(await trial("a.tar.gz", { inodes }, { again: inodes % 3 === 0 }));
    const seen = ends.map(headline).join("\n");
    for (const phase of [
      /the disk of .* is full: mkdir .*\/lock$/,
      /the disk of .*\/lock is full: open .*\/lock\//,
      /the disk of .*tempdir is full: mkdtemp /,
      /the disk of .* is full: mkdir .*\/layer$/,
      /the disk of .* is full: .*tar: .*three/,
      /the disk of .*\/use is full: open /,
      /the disk of .* is full: mkdir .*\/archive$/,
      /the disk of .*\/extract is full: symlink /,
      /cannot write .*\/layer\/.*\.json: the disk of .* is full: /,
      /cannot write .*\/record\/.*@\.json: the disk of .* is full: mkdir /,
      /cannot write .*\/record\/.*@\.json: the disk of .* is full: open /,
    ])
      expect(seen).toMatch(new RegExp(phase, "m"));
  });

  longTest.each(["a.tar.gz", "a.zip"])("with any room left for %s", async (name) => {
    const ends: Ended[] = [];
    for (let kib = 1; ends.at(-1)?.code !== 0; kib += 1900) ends.push(await trial(name, { kib }));
    const seen = ends.map(headline).join("\n");
    expect(seen).toMatch(/not enough room on the disk of .*: the archive alone has 2 MiB, and 0 KiB can be used/);
    expect(seen).toMatch(/not enough room on the disk of .*: it would be quite full/);
    expect(ends.length).toBeGreaterThan(3);
  });
});

longTest("prune makes room on a disk without one inode left", async () => {
  disk.clear();
  for (const version of ["old", "new"]) {
    writeFileSync(join(content, "etc/one"), version);
    await runProgram(["tar", "-C", content, "-czf", lab.archive("b.tar.gz"), "."]);
    expect((await nspawn("image", "pull", lab.url("b.tar.gz"))).code).toBe(0);
  }
  await whenSynced(disk.path());
  // As after another prune, which removes the files of locks.
  rmSync(disk.path("lock"), { recursive: true });
  mkdirSync(disk.path("lock"));
  await disk.leave({ inodes: 0 });
  expect(layersOf(disk.path())).toHaveLength(2);
  const pruned = await nspawn("prune");
  expect(pruned.code, pruned.stderr).toBe(0);
  expect(pruned.stdout).toMatch(/removed layer [0-9a-f]{16}/);
  expect(layersOf(disk.path())).toHaveLength(1);
  expect(namesIn(disk.path("extract"))).toHaveLength(1);
  expect(namesIn(disk.path("archive"))).toHaveLength(1);
  expect(leaksIn(disk.path())).toEqual([]);
  await disk.grow();
});
