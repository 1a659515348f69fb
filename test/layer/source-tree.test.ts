import { lstatSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { readSourceTree, type SourceTree } from "../../src/layer/source-tree.js";
import { writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

let folder: string;
beforeEach(() => {
  folder = join(tempFolder(), "data");
  writeFiles(folder, { a: "a", "sub/b": "b", "sub/c": "c" });
  sh(folder, "ln -s a link; mkfifo pipe; chmod 4755 a; touch -d @1000 a sub/b sub/c .");
});

/** What has changed between two readings, by names; `+` and `-` where only one has an entry. */
function changed(before: SourceTree, after: SourceTree): readonly string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => {
    const [one, other] = [before.get(name), after.get(name)];
    if (!one || !other) return [`${one ? "-" : "+"} ${name}`];
    const fields = (Object.keys(one) as (keyof typeof one)[]).filter((field) => one[field] !== other[field]);
    return fields.map((field) => `${name}: ${field}`);
  });
}

describe("what a COPY depends on", () => {
  test("are types, modes, times, contents, targets and attributes, of all that is in a folder", async () => {
    sh(folder, "setfattr -n user.x -v 1 sub/b; setfattr -n trusted.x -v 1 sub/c; setfacl -m u:12:r sub");
    const tree = await readSourceTree(folder);
    expect([...tree.keys()]).toEqual([".", "a", "link", "pipe", "sub", "sub/b", "sub/c"]);
    expect([...tree.values()].map(({ type }) => type)).toEqual(["folder", "file", "symlink", "fifo", "folder", "file", "file"]);
    expect(tree.get("a")).toMatchObject({ mode: "4755", time: "1000000000000", attributes: "" });
    expect(tree.get("link")?.content).toBe("a");
    // What does not travel counts for nothing.
    expect([...tree].filter(([, { attributes }]) => attributes !== "").map(([name]) => name)).toEqual(["sub", "sub/b"]);
  });

  test("of a single file is that alone, by its own name", async () => {
    expect([...(await readSourceTree(join(folder, "a"))).keys()]).toEqual(["a"]);
  });

  test.each([
    ["echo -n x > a; touch -d @1000 a", ["a: content"]],
    ["chmod 600 a", ["a: mode"]],
    ["touch -d @1001 a", ["a: time"]],
    ["chown 7:8 a; chmod 4755 a", []],
    ["rm a; ln -s sub a; touch -hd @1000 a", ["a: type", "a: mode", "a: content"]],
    ["ln -sfn sub link; touch -hd @2000 link", ["link: content", "link: time"]],
    ["setfattr -n user.x -v 1 a", ["a: attributes"]],
    ["setcap cap_net_raw+ep a", ["a: attributes"]],
    ["setfacl -m u:12:r a", ["a: attributes"]],
    ["setfattr -n trusted.x -v 1 a; setfattr -n security.x -v 1 a", []],
    ["rm sub/c; touch -d @5 sub", ["- sub/c", "sub: time"]],
    ["ln -f sub/b sub/c; touch -d @5 sub", ["sub/c: content", "sub: time"]],
    ["mv sub/c sub/d; touch -d @5 sub", ["- sub/c", "sub: time", "+ sub/d"]],
    ["rm pipe; mknod pipe c 1 3; touch -d @5 pipe .", ["pipe: type", "pipe: content", "pipe: time", ".: time"]],
  ])("after `%s`", async (change, expected) => {
    for (const name of ["link", "pipe"]) sh(folder, 'touch -hd @1000 "$1"', name);
    sh(folder, "touch -d @1000 sub .");
    const before = await readSourceTree(folder);
    sh(folder, change);
    const seen = changed(before, await readSourceTree(folder));
    // A file that is made anew changes its folder, too.
    const expectedToo = seen.filter((line) => line === ".: time" && /\brm\b|\bln\b|\bmv\b/.test(change));
    expect([...seen].sort()).toEqual([...new Set([...expected, ...expectedToo])].sort());
  });

  test("names in bytes, and numbers of users whatever the host calls them", async () => {
    sh(folder, "rm -r *; printf x > \"$(printf 'n\\377')\"; printf y > 'new\nline'; setfattr -n user.x -v 1 *; setfacl -m u:12:r *");
    const tree = await readSourceTree(folder);
    expect([...tree.keys()]).toEqual([".", "new\nline", "n\xff"].sort());
    expect([...tree.values()].filter(({ attributes }) => attributes === "")).toHaveLength(1);
    // uid 12 has no name here; the one that has, root's, is a number all the same.
    sh(folder, "setfacl -m u:0:r 'new\nline'");
    const named = (await readSourceTree(folder)).get("new\nline")?.attributes;
    expect(named).not.toBe(tree.get("new\nline")?.attributes);
  });

  test("nothing counts as younger than SOURCE_DATE_EPOCH", async () => {
    const tree = await readSourceTree(folder, { youngest: 500 });
    expect(new Set([...tree.values()].map(({ time }) => time))).toEqual(new Set(["500000000000"]));
    utimesSync(join(folder, "a"), 100, 100);
    expect((await readSourceTree(folder, { youngest: 500 })).get("a")?.time).toBe("100000000000");
    expect(lstatSync(join(folder, "a")).mtimeMs).toBe(100_000);
  });
});
