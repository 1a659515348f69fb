import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Flaw } from "../../src/packer/archive-error.js";
import { type AllowedDevices, MemberRules } from "../../src/packer/member-rules.js";
import { PathSet } from "../../src/packer/path-set.js";
import type { TarMember } from "../../src/packer/tar-reader.js";
import { tries } from "../support/tries.js";

const file = (name: string, bytes = 0): TarMember => ({ kind: "file", name, bytes });
const folder = (name: string): TarMember => ({ kind: "folder", name, bytes: 0 });
const symlink = (name: string, link: string): TarMember => ({ kind: "symlink", name, link, bytes: 0 });
const hardlink = (name: string, link: string): TarMember => ({ kind: "hardlink", name, link, bytes: 0 });
const device = (kind: "character" | "block", major: number, minor: number): TarMember => ({
  kind,
  name: "./dev/x",
  bytes: 0,
  device: [major, minor],
});

/** What is wrong with the last of these members; the others are right. */
function flawOf(
  members: readonly TarMember[],
  limits = { extractLimit: 1000, extractMembers: 5 },
  devices: AllowedDevices = "whiteouts",
): string {
  const rules = new MemberRules(limits, devices);
  for (const member of members.slice(0, -1)) rules.check(member);
  try {
    for (const member of members.slice(-1)) rules.check(member);
    return "";
  } catch (error) {
    if (error instanceof Flaw) return error.message;
    throw error;
  }
}

describe("MemberRules", () => {
  test.each<[string, readonly TarMember[]]>([
    [
      "what archives usually hold",
      [folder("./"), file("./a", 1000), symlink("./b", "../../etc"), hardlink("./c", "./a"), { kind: "fifo", name: "p", bytes: 0 }],
    ],
    ["a symlink, and what only begins like it", [symlink("./a", "/etc"), file("./ab/f"), file("./a.d/f")]],
    ["names with dots", [file("./..."), file("a..b"), file("./.hidden")]],
    ["a whiteout", [device("character", 0, 0)]],
    ["the longest names", [file(`${"n".repeat(255)}/`.repeat(15)), symlink("l", "t".repeat(4095))]],
    ["a hard link to a symlink", [symlink("s", "/etc/passwd"), hardlink("h", "s")]],
  ])("takes %s", (_, members) => expect(flawOf(members)).toBe(""));

  test.each<[string, readonly TarMember[], RegExp]>([
    ["..", [file("./a/../b")], /^has \.\. in its name$/],
    ["an absolute name", [file("/etc/passwd")], /^has an absolute name$/],
    ["an empty name", [file("")], /^has an empty name$/],
    ["a file as the root", [file("./")], /^would put a file in the place of the root folder$/],
    ["a symlink as the root", [symlink(".", "/etc")], /^would put a symlink/],
    ["a name of 5,000 characters", [file("n/".repeat(2500))], /^has a name of 5000 bytes: Linux takes 4095$/],
    ["a part of 256 characters", [file(`a/${"n".repeat(256)}`)], /^has a name with a part of 256 bytes: Linux takes 255$/],
    ["a file below a symlink", [symlink("./a/b", ".."), file("a//b/./c")], /^lies below "a\/b", which is a symlink in the same archive$/],
    ["a folder below a symlink", [symlink("a", "."), folder("a/b/")], /^lies below "a"/],
    ["a file below a hard link to a symlink", [symlink("s", ".."), hardlink("h", "./s"), file("h/f")], /^lies below "h"/],
    [
      "a hard link below a symlink",
      [symlink("s", "/etc"), hardlink("h", "s/passwd")],
      /^is a hard link to "s\/passwd", below "s", which is a symlink/,
    ],
    ["a hard link with ..", [hardlink("h", "../f")], /^has \.\. in its target "\.\.\/f"$/],
    ["an absolute hard link", [hardlink("h", "/etc/passwd")], /^has an absolute target "\/etc\/passwd"$/],
    ["a symlink to nothing", [symlink("s", "")], /^is a symlink with an empty/],
    ["an endless target", [symlink("s", "t".repeat(4096))], /far too long target$/],
    ["a device node", [device("character", 1, 3)], /^is a device node \(character 1:3\)$/],
    ["a disk", [device("block", 0, 0)], /^is a device node \(block 0:0\)$/],
    ["too much", [file("a", 600), file("b", 401)], /larger than the 1000 bytes/],
    ["too many", Array.from({ length: 6 }, (_, index) => folder(`${index}`)), /^is one more than the 5 members/],
  ])("refuses %s", (_, members, flaw) => expect(flawOf(members)).toMatch(flaw));

  test("takes any device node where those are taken out afterwards", () => {
    expect(flawOf([device("block", 8, 0)], undefined, "all")).toBe("");
  });

  test("no name leads to a symlink or out of the folder, whatever it is made of", () => {
    const name = fc.array(fc.constantFrom("a", "b", ".", "..", "", "c"), { minLength: 1, maxLength: 6 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(name, name, (link, path) => {
        const clean = (text: string): string =>
          text
            .split("/")
            .filter((part) => part !== "" && part !== ".")
            .join("/");
        const bad = (text: string): boolean => /^$|^\/|(^|\/)\.\.(\/|$)/.test(text);
        fc.pre(!bad(link) && clean(link) !== "");
        const below = clean(path).startsWith(`${clean(link)}/`);
        const root = clean(path) === "" || clean(path) === clean(link);
        expect(flawOf([symlink(link, ".."), file(path)]) !== "").toBe(bad(path) || below || root);
      }),
      { numRuns: tries(1000) },
    );
  });
});

describe("PathSet", () => {
  test("knows a path and what lies below it, and nothing else", () => {
    const parts = fc.array(
      fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 3 }).map((text) => text.replaceAll("/", "c")),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 20 }), parts, (paths, path) => {
        const set = new PathSet();
        for (const one of paths) set.add(one);
        const known = new Set(paths.map((one) => one.join("/")));
        expect(set.has(path)).toBe(known.has(path.join("/")));
        const depths = path.slice(0, -1).map((_, index) => index + 1);
        expect(set.above(path)).toBe(depths.find((depth) => known.has(path.slice(0, depth).join("/"))) ?? 0);
      }),
    );
  });
});
