import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBytes } from "../../src/base/byte-path.js";
import { ArchiveError } from "../../src/packer/archive-error.js";
import { type TarMember, TarReader } from "../../src/packer/tar-reader.js";
import { endMark, paddingOf, writeHeader } from "../../src/packer/tar-writer.js";
import { headerField, paxOf, tarOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";
import { sh } from "../support/tree.js";

const origin = "https://example.org/a.tar";

/** The members of an archive, and the content of the files, read in parts of these sizes over and over. */
function read(archive: Buffer, sizes: readonly number[] = [1 << 16]): readonly (TarMember & { readonly content: string })[] {
  const members: (TarMember & { content: string })[] = [];
  const reader = new TarReader(origin, (member) => {
    const last = { ...member, content: "" };
    members.push(last);
    return (content) => {
      last.content += content.toString("latin1");
    };
  });
  for (let at = 0, turn = 0; at < archive.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    reader.read(archive.subarray(at, at + size));
    at += size;
  }
  reader.close();
  return members;
}

function flawOf(archive: Buffer): string {
  try {
    read(archive);
  } catch (error) {
    if (error instanceof ArchiveError) return error.message.replace(`${origin} cannot be extracted: `, "");
    throw error;
  }
  return "";
}

describe("TarReader", () => {
  const long = "long/".repeat(30) + "x".repeat(120);

  test.each(["v7", "oldgnu", "gnu", "ustar", "posix"])("reads what GNU tar writes in the format %s", (format) => {
    const folder = tempFolder();
    const odd = /v7|ustar/.test(format)
      ? "true"
      : `mkdir -p "$(dirname ${long})"; echo deep > ${long}; ln -s ${"t".repeat(200)} l2; ln ${long} h2`;
    sh(
      folder,
      `mkdir in; cd in; mkdir d; printf hello > d/f; ln d/f hard; ln -s d/f soft; head -c 1234567 /dev/zero > big; mkfifo p
      printf x > 'ü
      y'; ${odd}; ${format === "v7" ? "rm p" : "mknod w c 0 0; mknod b b 8 1"}; tar --format=${format} -cf ../a.tar .`,
    );
    const members = read(readFileSync(join(folder, "a.tar")));
    const listed = sh(folder, "tar --quoting-style=escape -tf a.tar").trimEnd().split("\n");
    const escaped = (name: string): string => Buffer.from(name, "latin1").toString().replaceAll("\n", "\\n");
    expect(members.map(({ name }) => escaped(name))).toEqual(listed.map((name) => name.replaceAll("\\303\\274", "ü")));
    const byName = new Map(members.map((member) => [member.name, member]));
    expect(byName.get("./big")).toMatchObject({ kind: "file", bytes: 1_234_567 });
    expect(byName.get("./soft")).toMatchObject({ kind: "symlink", link: "d/f", bytes: 0 });
    const links = [byName.get("./hard"), byName.get("./d/f")];
    expect(links.map((member) => member?.kind).sort()).toEqual(["file", "hardlink"]);
    expect(links.find((member) => member?.kind === "file")?.content).toBe("hello");
    if (format !== "v7") expect(byName.get("./b")).toMatchObject({ kind: "block", device: [8, 1] });
    if (odd !== "true") expect([byName.get(`./${long}`)?.kind, byName.get("./h2")?.kind].sort()).toEqual(["file", "hardlink"]);
    if (odd !== "true") expect(byName.get("./l2")).toMatchObject({ link: "t".repeat(200) });
  });

  test.each(["--format=gnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"])(
    "counts only the data of sparse files (%s), however many parts they have",
    (option) => {
      const folder = tempFolder();
      sh(
        folder,
        `for n in 1 3 5 40 400; do truncate -s 20M s$n; for i in $(seq $n); do printf data | dd of=s$n bs=1 seek=$((i * 20000)) conv=notrunc status=none; done; done
        truncate -s 1G hole; printf end > after; tar ${option.startsWith("--format") ? "" : "--format=posix"} ${option} --sparse -cf a.tar s* hole after`,
      );
      const members = read(readFileSync(join(folder, "a.tar")), [1000]);
      expect(members.map(({ name }) => name)).toEqual(
        ["s1", "s3", "s400", "s40", "s5", "hole", "after"].sort((a, b) => order(a) - order(b)),
      );
      for (const { name, bytes } of members) {
        const parts = Number(/^s(\d+)/.exec(name)?.[1] ?? 0);
        expect(bytes).toBeLessThan(parts * 4096 + 16_384);
        expect(bytes).toBeGreaterThanOrEqual(parts * 512);
      }
      expect(members.at(-1)?.content).toBe("end");
    },
  );

  test("reads the same in whatever parts it comes", () => {
    const archive = Buffer.concat([
      paxOf({ path: "p".repeat(200), "SCHILY.xattr.user.a": "b\nc" }),
      tarOf([
        { name: "short", content: "c".repeat(700) },
        { name: "d/", type: "folder" },
        { name: "e", content: "" },
      ]),
    ]);
    const whole = read(archive);
    expect(whole.map(({ name }) => name)).toEqual(["p".repeat(200), "d/", "e"]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        expect(read(archive, sizes)).toEqual(whole);
      }),
    );
  });

  test("reads what our own writer writes, whatever the names", () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 400 }).map((text) => toBytes(text.replace(/[\0/]/g, "x")));
    fc.assert(
      fc.property(name, name, fc.integer({ min: 0, max: 2000 }), (path, link, bytes) => {
        const archive = Buffer.concat([
          writeHeader({ kind: "file", name: path, mode: 0o644, time: 1e9, bytes }),
          Buffer.alloc(bytes, 0x78),
          paddingOf(bytes),
          writeHeader({ kind: "symlink", name: path, link, mode: 0o777, time: -5, bytes: 0 }),
          endMark,
        ]);
        expect(read(archive)).toEqual([
          { kind: "file", name: path, bytes, content: "x".repeat(bytes) },
          { kind: "symlink", name: path, link, bytes: 0, content: "" },
        ]);
      }),
    );
  });

  test("reads sizes beyond 8 GiB: binary, and in pax headers", () => {
    const huge = 9 * 2 ** 30;
    const binary = headerField(tarOf([{ name: "a" }]), 124, Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 2, 0x40, 0, 0, 0]));
    const pax = writeHeader({ kind: "file", name: "a", mode: 0o644, time: 0, bytes: huge });
    for (const archive of [binary.subarray(0, 512), pax]) {
      let bytes = 0;
      new TarReader(origin, (member) => {
        bytes = member.bytes;
        return undefined;
      }).read(archive);
      expect(bytes).toBe(huge);
    }
  });

  test("a long name goes on beyond its size, up to a NUL, as in tar", () => {
    const short = headerField(longName("n".repeat(150)), 124, Buffer.from("00000000005\0"));
    expect(read(Buffer.concat([short, tarOf([{ name: "a" }])]))).toMatchObject([{ name: "n".repeat(150) }]);
  });

  const one = tarOf([{ name: "a", content: "x" }]);
  const head = one.subarray(0, 1024);
  const octal = (value: number): Buffer => Buffer.from(`${value.toString(8).padStart(11, "0")}\0`);
  test.each<[string, Buffer, RegExp]>([
    ["a wrong checksum", Buffer.concat([head, Buffer.from(head).fill("b", 0, 1)]), /^its member "a" has a header with a wrong checksum$/],
    ["no end mark", head, /^it is cut off: it has no end mark$/],
    ["half an end mark", one.subarray(0, 1536), /^it is cut off: it has no end mark$/],
    ["half an end mark, then more", Buffer.concat([head, Buffer.alloc(512), head, endMark]), /^it has half an end mark in its middle$/],
    ["data behind the end mark", Buffer.concat([one, head]), /^it has more data behind its end mark$/],
    ["a negative size", headerField(one, 124, Buffer.from([0xff, ...Array(11).fill(0xff)])), /wrong size$/],
    ["an absurd size", headerField(one, 124, Buffer.from([0x80, 0, 0, 0, 0x7f, ...Array(7).fill(0)])), /absurd size$/],
    ["no size", headerField(one, 124, Buffer.alloc(12, " ")), /wrong size$/],
    ["a size that is none", headerField(one, 124, Buffer.from("12x45678901\0")), /wrong size$/],
    ["an unknown type", headerField(one, 156, Buffer.from("M")), /^its member "a" is of the type "M", which cannot be read$/],
    ["a folder with content", headerField(one, 156, Buffer.from("5")), /is a folder with content$/],
    ["a symlink with content", headerField(one, 156, Buffer.from("2")), /is a symlink with content$/],
    ["a sparse file in a format without", headerField(one, 156, Buffer.from("S")), /is a sparse file in a format that has none$/],
    ["a pax header that is cut", Buffer.concat([paxOf({ path: "b" }).fill(0, 514, 530), one]), /has a malformed pax header$/],
    ["a pax header of a length beyond it", paxRaw("99 path=b\n"), /has a malformed pax header$/],
    ["a pax header without a value", paxRaw("8 path\n\n"), /has a malformed pax header$/],
    ["a pax header that says a name twice", paxRaw("10 path=b\n10 path=c\n"), /says path twice$/],
    ["two pax headers", Buffer.concat([paxOf({ path: "b" }), paxOf({ path: "c" }), one]), /two headers of one kind/],
    [
      "a pax header for all with a name",
      Buffer.concat([paxOf({ path: "b" }, "g"), one]),
      /has a pax header with path, which cannot be read$/,
    ],
    ["a pax header at the end", Buffer.concat([paxOf({ path: "b" }), endMark]), /ends behind a header that belongs to a member$/],
    ["a NUL in a name", Buffer.concat([paxOf({ path: "b\0c" }), one]), /has a pax header with a NUL in path$/],
    ["a negative size in a pax header", Buffer.concat([paxOf({ size: "-1" }), one]), /has a pax header with a wrong size$/],
    ["a sparse file's size alone", Buffer.concat([paxOf({ "GNU.sparse.realsize": "99999" }), one]), /wrong map of a sparse file$/],
    ["a sparse map with more than there is", Buffer.concat([paxOf(sparse("0,512,1024,512")), one]), /wrong map of a sparse file$/],
    ["a sparse map that is no pairs", Buffer.concat([paxOf(sparse("0,1,2")), one]), /wrong map of a sparse file$/],
    ["an unknown kind of sparse file", Buffer.concat([paxOf({ "GNU.sparse.major": "2", "GNU.sparse.minor": "0" }), one]), /unknown kind$/],
    [
      "a hard link with content",
      Buffer.concat([paxOf({ size: "1" }), headerField(one, 156, Buffer.from("1"))]),
      /is a hardlink with content$/,
    ],
    ["a huge pax header", headerField(headerField(one, 156, Buffer.from("x")), 124, octal(2 ** 30)), /^it has a huge pax header$/],
    [
      "a name of a gigabyte",
      headerField(headerField(one, 156, Buffer.from("L")), 124, octal(2 ** 30)),
      /^it has a name of more than 65536 bytes$/,
    ],
    ["long names of two kinds", Buffer.concat([longName("b"), paxOf({ path: "c" }), one]), /has its name or target twice, in two ways$/],
  ])("refuses an archive with %s", (_, archive, flaw) => expect(flawOf(archive)).toMatch(flaw));

  test("an archive that is cut anywhere before its end mark is refused", () => {
    const archive = Buffer.concat([paxOf({ path: "p".repeat(200) }), tarOf([{ name: "a", content: "c".repeat(600) }, { name: "b" }])]);
    expect(flawOf(archive)).toBe("");
    for (let length = 0; length < archive.length; length += 13) expect(flawOf(archive.subarray(0, length))).toMatch(/cut off/);
    expect(flawOf(archive.subarray(0, 2000))).toMatch(/^its member "pppp.*… \(202 characters\) is cut off$/);
  });

  test("millions of members take no memory, and little time", () => {
    const members = Buffer.concat(Array.from({ length: 1000 }, () => head));
    let count = 0;
    const reader = new TarReader(origin, () => {
      count++;
      return undefined;
    });
    for (let turn = 0; turn < 1000; turn++) reader.read(members);
    reader.read(endMark);
    reader.close();
    expect(count).toBe(1_000_000);
  });
});

/** In which order the shell names the files of the sparse test. */
function order(name: string): number {
  return ["s1", "s3", "s40", "s400", "s5", "hole", "after"].indexOf(name);
}

function paxRaw(records: string): Buffer {
  return Buffer.concat([headerOf("x", records), tarOf([{ name: "a" }])]);
}

function longName(name: string): Buffer {
  return headerOf("L", `${name}\0`);
}

/** A header of this type, with its content and no end mark. */
function headerOf(type: string, content: string): Buffer {
  return headerField(tarOf([{ name: "h", content }]), 156, Buffer.from(type)).subarray(0, 1024);
}

function sparse(map: string): Record<string, string> {
  return { "GNU.sparse.size": "1", "GNU.sparse.numblocks": String(Math.floor(map.split(",").length / 2)), "GNU.sparse.map": map };
}
