import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Wanted } from "../../src/image/link-chain.js";
import { pull } from "../../src/image/pull.js";
import { type ImageChain, resolveChain } from "../../src/image/resolve.js";
import { digestOf, makeArchive, makeImage, ref, storeContext, type TestContext } from "../support/archive.js";
import { there } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const want = (url: string, digest?: string): Wanted => ({ image: ref(url), digest, pinned: digest !== undefined });
/** File names without their ending, the top layer first. */
const namesOf = (chain: ImageChain): readonly string[] => chain.map(({ image }) => there(/\/([^/]+)\.tar/.exec(image.url)?.[1]));
const fetched = ({ events }: TestContext): readonly string[] =>
  events.flatMap((event) => (event.kind === "pulled" && event.how === "fetched" ? [there(/\/([^/]+)\.tar/.exec(event.url)?.[1])] : []));

/** Makes images from a list: `top: [left, right]`. */
function makeImages(folder: string, graph: Readonly<Record<string, readonly string[]>>): (name: string) => string {
  const url = (name: string): string => `file://${folder}/${name}.tar.gz`;
  for (const [name, parents] of Object.entries(graph))
    makeImage(join(folder, `${name}.tar.gz`), { parents: parents.map(url), files: { who: name } });
  return url;
}

async function order(graph: Readonly<Record<string, readonly string[]>>, ...wanted: readonly string[]): Promise<readonly string[]> {
  const folder = tempFolder();
  const url = makeImages(folder, graph);
  return namesOf(
    await resolveChain(
      await storeContext(folder),
      wanted.map((name) => want(url(name))),
    ),
  );
}

describe("images that cannot be had", () => {
  test("are told together at their lines, one below a parent at that parent's", async () => {
    const folder = tempFolder();
    const url = (name: string): string => `file://${folder}/${name}.tar.gz`;
    makeImage(join(folder, "top.tar.gz"), { parents: [url("gone")] });
    const at = (line: number) => ({ file: "/srv/build.ts", line });
    const all = [
      { ...want(url("no")), at: at(2) },
      { ...want(url("none")), at: at(3) },
    ];
    const context = await storeContext(folder);
    await expect(resolveChain(context, all)).rejects.toMatchObject({
      problems: [
        { at: at(2), near: url("no"), message: expect.stringContaining("there is no such file") },
        { at: at(3), near: url("none") },
      ],
    });
    await expect(resolveChain(context, [{ ...want(url("top")), at: at(4) }])).rejects.toMatchObject({
      problems: [{ at: at(4), near: url("gone") }],
    });
  });
});

describe("the order of layers", () => {
  test("a diamond has its base once, and the later parent above the earlier one", async () => {
    const graph = { rootfs: [], base: ["rootfs"], left: ["base"], right: ["base"], top: ["left", "right"] };
    expect(await order(graph, "top")).toEqual(["top", "right", "left", "base", "rootfs"]);
  });

  test("a later PULL lies above an earlier one", async () => {
    expect(await order({ a: [], b: [], c: [] }, "a", "b", "c")).toEqual(["c", "b", "a"]);
  });

  test("an ancestor lies below all of its descendants, however it is reached", async () => {
    // base is pulled last, but tool stands on it.
    expect(await order({ base: [], tool: ["base"] }, "tool", "base")).toEqual(["tool", "base"]);
    expect(await order({ a: [], b: ["a"], c: ["b", "a"], d: ["a", "c"] }, "d")).toEqual(["d", "c", "b", "a"]);
  });

  test("parents of parents keep their order", async () => {
    const graph = { a: [], b: [], c: ["a", "b"], d: [], e: ["d", "c"] };
    expect(await order(graph, "e")).toEqual(["e", "c", "b", "a", "d"]);
  });

  test("no parents are no layers", async () => {
    expect(await order({})).toEqual([]);
  });

  test("images that are their own ancestors are an error that shows the way", async () => {
    await expect(order({ a: ["b"], b: ["c"], c: ["a"] }, "a")).rejects.toThrow(
      /own ancestors: file:\/\/\S+\/a\.tar\.gz → \S+b\.tar\.gz → \S+c\.tar\.gz → \S+a\.tar\.gz/,
    );
    await expect(order({ a: ["a"] }, "a")).rejects.toThrow(/own ancestors/);
  });

  test("one archive under two URLs is one layer", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    cpSync(join(folder, "base.tar.gz"), join(folder, "copy.tar.gz"));
    makeImage(join(folder, "top.tar.gz"), { parents: [url("base"), url("copy")] });
    const chain = await resolveChain(await storeContext(folder), [want(url("top"))]);
    expect(chain.map(({ layer }) => layer.id)).toHaveLength(2);
    expect(new Set(chain.map(({ layer }) => layer.id)).size).toBe(2);
  });

  test("one archive under two URLs still lies below all that stands on either", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [], mid: ["base"] });
    cpSync(join(folder, "base.tar.gz"), join(folder, "copy.tar.gz"));
    makeImage(join(folder, "top.tar.gz"), { parents: [url("mid"), url("copy")] });
    expect(namesOf(await resolveChain(await storeContext(folder), [want(url("top"))]))).toEqual(["top", "mid", "base"]);
  });

  test("two spellings of a URL are one image", async () => {
    const folder = tempFolder();
    makeImages(folder, { base: [] });
    makeImage(join(folder, "top.tar.gz"), { parents: [`file://${folder}/base.tar.gz`, `file://localhost${folder}/base.tar.gz`] });
    const context = await storeContext(folder);
    expect(namesOf(await resolveChain(context, [want(`file://${folder}/top.tar.gz`)]))).toEqual(["top", "base"]);
    expect(fetched(context)).toHaveLength(2);
  });

  test("a parent that is not there is named", async () => {
    await expect(order({ top: ["gone"] }, "top")).rejects.toThrow(/gone\.tar\.gz: there is no such file/);
  });
});

describe("freshness", () => {
  test("an image that did not change is not read again", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [], top: ["base"] });
    const context = await storeContext(folder);
    await resolveChain(context, [want(url("top"))]);
    expect(fetched(context)).toEqual(["top", "base"]);
    await resolveChain(context, [want(url("top"))]);
    expect(fetched(context)).toEqual(["top", "base"]);
  });

  test("an image that changed is a new layer, and the old layer stays untouched", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    const context = await storeContext(folder);
    const old = await pull(context, ref(url("base")));
    const identity = (): readonly bigint[] => {
      const { ino, size, mtimeNs, ctimeNs } = statSync(join(old.layer.folder, "who"), { bigint: true });
      return [ino, size, mtimeNs, ctimeNs];
    };
    const before = identity();
    makeImage(join(folder, "base.tar.gz"), { files: { who: "newer", more: "x" } });
    const now = await pull(context, ref(url("base")));
    expect(now.layer.id).not.toBe(old.layer.id);
    expect(readFileSync(join(now.layer.folder, "who"), "utf8")).toBe("newer");
    expect(readFileSync(join(old.layer.folder, "who"), "utf8")).toBe("base");
    expect(identity()).toEqual(before);
    expect(readdirSync(old.layer.folder).sort()).toEqual(["nspawn-image.yaml", "who"]);
  });

  test("a file that was written over in place, with the same size, is a new layer", async () => {
    const folder = tempFolder();
    const path = join(folder, "a.tar");
    const context = await storeContext(folder);
    makeArchive(path, { who: "aaa" });
    const old = await pull(context, ref(`file://${path}`));
    makeArchive(join(folder, "b.tar"), { who: "bbb" });
    writeFileSync(path, readFileSync(join(folder, "b.tar")));
    const now = await pull(context, ref(`file://${path}`));
    expect(now.layer.digest).not.toBe(old.layer.digest);
  });

  test("a file that was replaced by one of the same size and time is a new layer", async () => {
    const folder = tempFolder();
    const path = join(folder, "a.tar");
    const context = await storeContext(folder);
    makeArchive(path, { who: "aaa" });
    const old = await pull(context, ref(`file://${path}`));
    makeArchive(join(folder, "b.tar"), { who: "bbb" });
    const { atime, mtime } = statSync(path);
    utimesSync(join(folder, "b.tar"), atime, mtime);
    renameSync(join(folder, "b.tar"), path);
    expect((await pull(context, ref(`file://${path}`))).layer.digest).not.toBe(old.layer.digest);
  });

  test("content that came back is the layer that was there before", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [], b: [] });
    const context = await storeContext(folder);
    const first = await pull(context, ref(url("a")));
    cpSync(join(folder, "a.tar.gz"), join(folder, "keep.tar.gz"));
    cpSync(join(folder, "b.tar.gz"), join(folder, "a.tar.gz"));
    await pull(context, ref(url("a")));
    cpSync(join(folder, "keep.tar.gz"), join(folder, "a.tar.gz"));
    expect((await pull(context, ref(url("a")))).layer).toEqual(first.layer);
    expect(readdirSync(join(folder, "store/tempdir"))).toEqual([]);
  });

  test("an image that many want at once is read once", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [] });
    const contexts = await Promise.all([1, 2, 3].map(() => storeContext(folder)));
    const images = await Promise.all(contexts.map((context) => pull(context, ref(url("a")))));
    expect(new Set(images.map(({ layer }) => layer.id)).size).toBe(1);
    expect(contexts.flatMap(fetched)).toEqual(["a"]);
  });

  test("a layer that was lost is read again", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [] });
    const context = await storeContext(folder);
    const { layer } = await pull(context, ref(url("a")));
    rmSync(layer.folder, { recursive: true });
    expect((await pull(context, ref(url("a")))).layer).toEqual(layer);
    expect(existsSync(join(layer.folder, "who"))).toBe(true);
  });
});

describe("digests", () => {
  test("a pinned image that is another one is refused, and leaves nothing", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [] });
    const context = await storeContext(folder);
    const wrong = `sha256:${"0".repeat(64)}`;
    await expect(resolveChain(context, [want(url("a"), wrong)])).rejects.toThrow(
      /a\.tar\.gz has the digest sha256:[0-9a-f]{64}, expected is sha256:0{64}/,
    );
    expect(readdirSync(join(folder, "store/extract"))).toEqual([]);
    expect(readdirSync(join(folder, "store/tempdir"))).toEqual([]);
  });

  test("a pinned image that is stored as another one is refused too", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [] });
    const context = await storeContext(folder);
    await pull(context, ref(url("a")));
    await expect(resolveChain(context, [want(url("a"), `sha256:${"0".repeat(64)}`)])).rejects.toThrow(/expected is sha256:0{64}/);
  });

  test("a pinned image that the store has is not asked for", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { a: [] });
    const context = await storeContext(folder);
    const digest = digestOf(join(folder, "a.tar.gz"));
    await pull(context, ref(url("a")));
    unlinkSync(join(folder, "a.tar.gz"));
    expect(namesOf(await resolveChain(context, [want(url("a"), digest)]))).toEqual(["a"]);
  });

  test("a parent that has moved on is used as it was, as long as the store has it", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    makeImage(join(folder, "top.tar.gz"), { parents: [{ url: url("base"), digest: digestOf(join(folder, "base.tar.gz")) }] });
    const context = await storeContext(folder);
    const before = await resolveChain(context, [want(url("top"))]);
    makeImage(join(folder, "base.tar.gz"), { files: { who: "newer" } });
    const after = await resolveChain(context, [{ ...want(url("top")), at: { file: "/srv/setup.ts", line: 3 } }]);
    expect(after.map(({ layer }) => layer.id)).toEqual(before.map(({ layer }) => layer.id));
    const built = before[1]?.layer.digest.slice(0, "sha256:".length + 12);
    expect(context.warnings()).toEqual([
      `/srv/setup.ts:3: ${url("base")} has moved on: ${url("top")} was built on its version ${built}, which is still used. Build that image again`,
    ]);
  });

  test("a parent that has moved on and cannot be had any more is used as it is now, with a warning", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    makeImage(join(folder, "top.tar.gz"), { parents: [{ url: url("base"), digest: `sha256:${"1".repeat(64)}` }] });
    const context = await storeContext(folder);
    const chain = await resolveChain(context, [want(url("top"))]);
    expect(namesOf(chain)).toEqual(["top", "base"]);
    expect(context.warnings()).toEqual([
      expect.stringMatching(
        /base\.tar\.gz has moved on: file:\S+top\.tar\.gz was built on its version sha256:111111111111, which is gone: sha256:[0-9a-f]{12} is used\. /,
      ),
    ]);
  });

  test("a child whose parent the script asks for in the version that its URL has now is told so", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    const first = digestOf(join(folder, "base.tar.gz"));
    makeImage(join(folder, "top.tar.gz"), { parents: [{ url: url("base"), digest: first }] });
    const context = await storeContext(folder);
    await resolveChain(context, [want(url("base")), want(url("top"))]);
    expect(context.warnings()).toEqual([]);
    makeImage(join(folder, "base.tar.gz"), { files: { who: "newer" } });
    const second = digestOf(join(folder, "base.tar.gz"));
    const chain = await resolveChain(context, [want(url("base")), want(url("top"))]);
    expect(chain.map(({ layer }) => layer.digest)).toEqual([digestOf(join(folder, "top.tar.gz")), second]);
    const [built, used] = [first, second].map((digest) => digest.slice(0, "sha256:".length + 12));
    expect(context.warnings()).toEqual([
      `${url("base")} has moved on: ${url("top")} was built on its version ${built}, but ${used} is asked for. Build that image again`,
    ]);
  });

  test("two children built on two versions of one parent are told so", async () => {
    const folder = tempFolder();
    const url = makeImages(folder, { base: [] });
    const first = digestOf(join(folder, "base.tar.gz"));
    const context = await storeContext(folder);
    await pull(context, ref(url("base")));
    makeImage(join(folder, "base.tar.gz"), { files: { who: "newer" } });
    const second = digestOf(join(folder, "base.tar.gz"));
    makeImage(join(folder, "left.tar.gz"), { parents: [{ url: url("base"), digest: first }] });
    makeImage(join(folder, "right.tar.gz"), { parents: [{ url: url("base"), digest: second }] });
    const chain = await resolveChain(context, [want(url("left")), want(url("right"))]);
    expect(namesOf(chain)).toEqual(["right", "left", "base"]);
    expect(context.warnings().join("\n")).toMatch(/two versions/);
  });
});

describe("failed pulls", () => {
  test("a broken archive leaves no layer, no record and no temporary folder", async () => {
    const folder = tempFolder();
    const path = join(folder, "a.tar.gz");
    makeImage(path, { files: { big: "x".repeat(100_000) } });
    truncateSync(path, statSync(path).size - 50);
    const context = await storeContext(folder);
    await expect(pull(context, ref(`file://${path}`))).rejects.toThrow(/a\.tar\.gz cannot be extracted: /);
    for (const name of ["extract", "tempdir", "record"]) expect(readdirSync(join(folder, "store", name)), name).toEqual([]);
  });

  test("an image with wrong metadata is named, each time", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), { "nspawn-image.yaml": "profile_entry_list: [Nope=1]" });
    const context = await storeContext(folder);
    for (let i = 0; i < 2; i++)
      await expect(pull(context, ref(`file://${folder}/a.tar.gz`))).rejects.toThrow(/a\.tar\.gz has a wrong nspawn-image\.yaml/);
  });

  test.each([
    ["no text", "printf '\\377\\376' > nspawn-image.yaml", /is no text in UTF-8/],
    ["far too large", "truncate -s 50M nspawn-image.yaml", /is no small file/],
    ["a symlink", "ln -s /etc/passwd nspawn-image.yaml", /is no small file/],
    ["a fifo", "mkfifo nspawn-image.yaml", /is no small file/],
    ["a folder", "mkdir nspawn-image.yaml", /is no small file/],
    [
      "a bomb of aliases",
      "printf 'a: &a [x, x]\\nb: &b [*a, *a]\\nprofile_command: *b\\n' > nspawn-image.yaml",
      /has a wrong nspawn-image\.yaml/,
    ],
    ["a wrong setting", "echo 'profile_entry_list: [Nope=1]' > nspawn-image.yaml", /there is no setting "Nope"/],
    [
      "there twice",
      "echo 'image_url: a' > nspawn-image.yaml; set -- ./nspawn-image.yaml",
      /its member \S*nspawn-image\.yaml\S* is there twice/,
    ],
  ])("an image whose metadata are %s is refused, and nothing of it is in the store", async (_, make, message) => {
    const folder = tempFolder();
    execFileSync("sh", ["-ec", `mkdir in; cd in; ${make}; tar -cf ../a.tar --hard-dereference -C . . "$@"`], { cwd: folder });
    const context = await storeContext(folder);
    await expect(pull(context, ref(`file://${folder}/a.tar`))).rejects.toThrow(message);
    for (const name of ["extract", "layer", "tempdir", "record"])
      expect(existsSync(join(folder, "store", name)) ? readdirSync(join(folder, "store", name)) : [], name).toEqual([]);
  });

  test("metadata that is a symlink is not read from this host", async () => {
    const folder = tempFolder();
    execFileSync(
      "sh",
      ["-ec", 'mkdir in; echo "image_url: secret" > out.yaml; ln -s "$PWD/out.yaml" in/nspawn-image.yaml; tar -cf a.tar -C in .'],
      { cwd: folder },
    );
    await expect(pull(await storeContext(folder), ref(`file://${folder}/a.tar`))).rejects.toThrow(/is no small file/);
  });

  test("an archive without metadata is a plain root", async () => {
    const folder = tempFolder();
    makeArchive(join(folder, "a.tar.gz"), { "etc/issue": "x" });
    const { meta } = await pull(await storeContext(folder), ref(`file://${folder}/a.tar.gz`));
    expect(meta).toEqual({ url: `file://${folder}/a.tar.gz`, parents: [], command: undefined, settings: [], removed: [] });
  });
});
