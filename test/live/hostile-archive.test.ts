import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { type HandMade, tarOf, zipOf } from "../support/hand-made.js";
import { listTree, sh } from "../support/tree.js";
import { Lab } from "./support/build.js";

/** What users see of an archive that must not be extracted: an error that names image and member, and no trace of it. */
const lab = new Lab();
afterAll(() => lab.remove());

const victim = join(lab.folder, "victim");
const cases: readonly (readonly [name: string, members: readonly HandMade[], message: string])[] = [
  ["..", [{ name: "../../../../../../../../../../nspawn-test-evil", content: "x" }], "has .. in its name"],
  ["an absolute name", [{ name: `${victim}/f`, content: "x" }], "has an absolute name"],
  [
    "a file through a symlink",
    [
      { name: "ok", content: "x" },
      { name: "link", type: "symlink", link: victim },
      { name: "link/f", content: "x" },
    ],
    'its member "link/f" lies below "link", which is a symlink in the same archive',
  ],
  ["a hard link to outside", [{ name: "h", type: "hardlink", link: `${victim}/f` }], "has an absolute target"],
  ["a device node", [{ name: "dev/sda", type: "character", device: [8, 0] }], 'its member "dev/sda" is a device node (character 8:0)'],
];

async function pullFails(archive: Buffer, ending: string, options: readonly string[] = []): Promise<string> {
  sh(lab.folder, "rm -rf victim; mkdir victim; echo untouched > victim/f");
  const before = listTree(victim);
  writeFileSync(join(lab.folder, `hostile.${ending}`), archive);
  const url = `file://${join(lab.folder, `hostile.${ending}`)}`;
  const ended = await lab.run(`IMAGE("${lab.url("x.tar.gz")}"); PULL("${url}");`, { options });
  expect(ended.code, ended.stdout).toBe(1);
  expect(ended.stderr).toContain(`${url} cannot be extracted: `);
  expect(listTree(victim)).toEqual(before);
  expect(lab.inProgress()).toEqual([]);
  return ended.stderr;
}

test.each(cases)("PULL of an archive with %s", async (_, members, message) => {
  expect(await pullFails(gzipSync(tarOf(members)), "tar.gz")).toContain(message);
  if (members.every(({ type }) => type === undefined || type === "symlink"))
    expect(await pullFails(zipOf(members), "zip")).toContain(message);
});

test("PULL of an archive with more than the configuration allows", async () => {
  const many = gzipSync(tarOf(Array.from({ length: 50 }, (_, index) => ({ name: `f${index}` }))));
  expect(await pullFails(many, "tar.gz", ["--config=[storage]extract_members=20"])).toMatch(
    /"f20" is one more than the 20 members.*extract_members/s,
  );
  const bomb = gzipSync(tarOf([{ name: "zeros", content: "\0".repeat(3 << 20) }]));
  expect(await pullFails(bomb, "tar.gz", ["--config=[storage]extract_limit=2M"])).toMatch(
    /"zeros" makes the archive larger than .*extract_limit/s,
  );
});

test("PULL of an archive that is cut off at a member's end", async () => {
  const archive = tarOf([{ name: "a" }, { name: "b" }]).subarray(0, 1024);
  expect(await pullFails(gzipSync(archive), "tar.gz")).toContain("it is cut off: it has no end mark");
});
