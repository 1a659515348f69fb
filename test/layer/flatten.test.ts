import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytePath } from "../../src/base/byte-path.js";
import { LocalHost } from "../../src/host/local.js";
import { flatten } from "../../src/layer/flatten.js";
import { clearIdleMarks } from "../../src/layer/idle-marks.js";
import { isOpaque, setOpaque } from "../../src/layer/opaque.js";
import { pipeTar } from "../../src/packer/tar.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";
import { tries } from "../support/tries.js";

/** What is in a layer at a name: a folder with its content, marked or not, or something else. */
type Entry = "file" | "symlink" | "whiteout" | { readonly opaque: boolean; readonly content: Content };
type Content = Readonly<Record<string, Entry>>;

const { content } = fc.letrec<{ content: Content; entry: Entry }>((tie) => ({
  entry: fc.oneof(
    { maxDepth: 3, depthIdentifier: "entry" },
    fc.constantFrom<Entry>("file", "symlink", "whiteout"),
    fc.record({ opaque: fc.boolean(), content: tie("content") }),
  ),
  content: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("entry"), { maxKeys: 3, depthIdentifier: "entry" }),
}));

/** A file holds its own name: it is of one layer. */
function makeLayer(folder: string, layer: Content): string {
  mkdirSync(folder);
  for (const [name, entry] of Object.entries(layer)) {
    const path = join(folder, name);
    if (entry === "file") writeFileSync(path, path);
    else if (entry === "symlink") symlinkSync("a", path);
    else if (entry === "whiteout") linkSync(whiteoutFor(folder), path);
    else {
      makeLayer(path, entry.content);
      if (entry.opaque) setOpaque(Buffer.from(path));
    }
  }
  return folder;
}

/** One for all of a test: each program takes longer to start than a link to be made. */
function whiteoutFor(folder: string): string {
  const path = join(dirname(folder), "whiteout");
  if (basename(dirname(folder)).startsWith("nspawn-test-")) {
    if (!existsSync(path)) sh(dirname(folder), "mknod whiteout c 0 0");
    return path;
  }
  return whiteoutFor(dirname(folder));
}

/** What the kernel shows of layers, the top one first. */
function seen(folder: string, layers: readonly string[]): readonly string[] {
  // An overlay without an upper layer has two at least.
  const empty = ["empty-1", "empty-2"].map((name) => join(folder, name));
  for (const path of empty) mkdirSync(path, { recursive: true });
  // Whiteouts in a folder that only one layer has are names that are listed and not there: the kernel looks for them where folders merge.
  const script = `mkdir -p root; mount -t overlay overlay -o "lowerdir=$1" root; cd root; exec 2> /dev/null; set +e
    find . -mindepth 1 -printf '%y %p %l\\n'; find . -type f -exec sh -c 'for f; do echo "$f $(cat "$f")"; done' sh {} + ; true`;
  const argv = `unshare --mount --propagation private sh -ec '${script.replaceAll("'", `'\\''`)}' sh "$1"`;
  return sh(folder, argv, [...layers, ...empty].join(":"))
    .split("\n")
    .sort();
}

/** The flattened layer as a folder. */
async function flattened(folder: string, steps: readonly string[], below: readonly string[]): Promise<string> {
  const [scratch, result] = [join(folder, "scratch"), join(folder, "flat")];
  for (const path of [scratch, result]) mkdirSync(path);
  const sources = flatten(steps, below, scratch);
  await pipeTar(new LocalHost(), sources, result, { owner: "same", folders: "overwrite" });
  // Which tar leaves out here, as for a COPY.
  for (const { folder: from, names } of sources) {
    for (const name of names) if (isMarked(from, name)) setOpaque(bytePath(result, name));
  }
  return result;
}

function isMarked(folder: Buffer, name: string): boolean {
  return isOpaque(bytePath(folder.toString(), name));
}

describe.skipIf(process.getuid?.() !== 0)("flatten", () => {
  test("makes of any layers one that shows the same above any ancestors", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 3 }), fc.array(content, { maxLength: 3 }), async (own, ancestors) => {
        const folder = tempFolder();
        const steps = own.map((layer, index) => makeLayer(join(folder, `step-${index}`), layer));
        const below = ancestors.map((layer, index) => makeLayer(join(folder, `below-${index}`), layer));
        const flat = await flattened(folder, steps, below);
        const before = seen(folder, [...steps, ...below]);
        for (const [index, step] of steps.entries()) clearIdleMarks(step, [...steps.slice(index + 1), ...below]);
        expect(seen(folder, [...steps, ...below])).toEqual(before);
        expect(seen(folder, [flat, ...below])).toEqual(before);
      }),
      { numRuns: tries(160), interruptAfterTimeLimit: 110_000 },
    );
  }, 120_000);

  test("keeps a whiteout only where an ancestor has something to hide, and a mark likewise", async () => {
    const folder = tempFolder();
    const below = [
      makeLayer(join(folder, "upper"), { gone: "whiteout", cut: { opaque: true, content: { new: "file" } } }),
      makeLayer(join(folder, "lower"), {
        there: "file",
        gone: "file",
        old: { opaque: false, content: {} },
        cut: { opaque: false, content: { hidden: "file" } },
      }),
    ];
    const top = makeLayer(join(folder, "top"), {
      there: "whiteout",
      gone: "whiteout",
      nowhere: "whiteout",
      old: { opaque: true, content: {} },
      new: { opaque: true, content: { x: "whiteout" } },
      cut: { opaque: false, content: { hidden: "whiteout", new: "whiteout" } },
    });
    const sources = flatten([top], below, join(folder, "scratch"));
    const paths = sources.flatMap(({ folder: from, names }) => names.map((name) => `${name}${isMarked(from, name) ? " opaque" : ""}`));
    expect(paths).toEqual(["", "cut", "cut/new", "new", "old opaque", "there"]);
    // The layer itself stays as it is.
    expect(isMarked(Buffer.from(top), "new")).toBe(true);
  });

  test("a mark of the root folder itself goes, since it is the root of every image", () => {
    const folder = tempFolder();
    const top = makeLayer(join(folder, "top"), { a: "file" });
    setOpaque(Buffer.from(top));
    const [root] = flatten([top], [], join(folder, "scratch"));
    expect(root).toEqual({ folder: Buffer.from(join(folder, "scratch")), names: [""] });
    expect(isMarked(Buffer.from(join(folder, "scratch")), "")).toBe(false);
  });

  test("a copy of a folder whose mark changes looks like it, the folders above it included", () => {
    const folder = tempFolder();
    const top = makeLayer(join(folder, "top"), { a: { opaque: true, content: { b: { opaque: true, content: {} } } } });
    sh(top, "setfacl -d -m u:55:rwx a; chown 12:34 a; chmod 3751 a; setfattr -n user.x -v 1 a/b; touch -d @1000000000.123456789 a a/b");
    flatten([top], [], join(folder, "scratch"));
    const look = (root: string): string => sh(root, 'stat -c "%n %a %u %g %y" a a/b; getfacl -n a a/b; getfattr -d a a/b');
    expect(look(join(folder, "scratch"))).toBe(look(top));
  });
});
