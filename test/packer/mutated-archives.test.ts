import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { NspawnError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { extractArchive } from "../../src/packer/extract.js";
import { TarReader } from "../../src/packer/tar-reader.js";
import { type HandMade, headerField, paxOf, tarOf, zipOf } from "../support/hand-made.js";
import { makeTempFolder, removeFolder } from "../support/temp.js";
import { listTree, sh } from "../support/tree.js";
import { tries } from "../support/tries.js";

/** Set it to see the same archives again. */
const seed = Number(process.env.NSPAWN_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const host = new LocalHost();
const options = { layer: true, devices: "whiteouts", limits: { extractLimit: 1 << 24, extractMembers: 500 } } as const;

/** Numbers below `most`, the same ones for the same seed (xorshift32). */
function randomFrom(start: number): (most: number) => number {
  let state = start | 1;
  return (most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % most;
  };
}

type Random = ReturnType<typeof randomFrom>;
type Mutation = (archive: Buffer, random: Random) => Buffer;

const pick = <T>(list: readonly T[], random: Random): T => {
  const found = list[random(list.length)];
  if (found === undefined) throw new Error("nothing to choose from");
  return found;
};

const flips: Mutation = (archive, random) => {
  const changed = Buffer.from(archive);
  for (let count = 1 + random(8); count > 0; count--) {
    const at = random(changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << random(8));
  }
  return changed;
};
const cut: Mutation = (archive, random) => archive.subarray(0, random(archive.length));
const doubled: Mutation = (archive, random) => {
  const [from, to, at] = [random(archive.length), random(archive.length), random(archive.length)];
  return Buffer.concat([archive.subarray(0, at), archive.subarray(Math.min(from, to), Math.max(from, to)), archive.subarray(at)]);
};
/** Blocks of a tar archive in another order, or left out, or there twice. */
const shuffled: Mutation = (archive, random) => {
  const blocks = Array.from({ length: archive.length / 512 }, (_, index) => archive.subarray(index * 512, index * 512 + 512));
  for (let count = 1 + random(4); count > 0; count--) blocks.splice(random(blocks.length), random(2), pick(blocks, random));
  return Buffer.concat(blocks);
};
/** Fields of tar headers: name, mode, size, type, link, magic, device, prefix, sparse map. */
const fields = [
  [0, 100],
  [100, 8],
  [124, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [329, 16],
  [345, 155],
  [386, 97],
  [482, 13],
] as const;
const texts = [
  "../victim/f",
  "/etc/passwd",
  "./link/f",
  "x/../../y",
  "0",
  "1",
  "2",
  "3",
  "4",
  "5",
  "6",
  "L",
  "K",
  "x",
  "g",
  "S",
  "77777777777\0",
  "\x80\0\0\0\0\0\0\0\0\0\x02\0",
  "\xff",
  "",
];
/** Another value in a field of one header, with the checksum that belongs to it. */
const forged: Mutation = (archive, random) => {
  const heads = Array.from({ length: archive.length / 512 }, (_, index) => index * 512).filter(
    (at) => archive.toString("latin1", at + 257, at + 262) === "ustar",
  );
  const at = pick(heads, random);
  const [start, length] = pick(fields, random);
  const value = Buffer.alloc(length);
  if (random(2)) value.write(pick(texts, random), "latin1");
  else for (let index = 0; index < length; index++) value[index] = random(256);
  return Buffer.concat([archive.subarray(0, at), headerField(archive.subarray(at), start, value)]);
};

let folder: string;
let victim: string;
const seeds: Record<string, Buffer> = {};

beforeAll(() => {
  folder = makeTempFolder();
  victim = join(folder, "victim");
  sh(folder, "mkdir -p victim/d; echo untouched > victim/f; echo untouched > victim/d/g; chmod 600 victim/f");
  sh(
    folder,
    `mkdir -p in/d/e; cd in; echo x > d/f; ln d/f hard; ln -s ${victim} link; ln -s . dot; mknod w c 0 0; mkfifo p; truncate -s 1M d/sparse
    printf end >> d/sparse; for i in 1 2 3 4 5 6; do printf $i | dd of=d/sparse bs=1 seek=$((i * 100000)) conv=notrunc status=none; done
    echo long > d/${"n".repeat(120)}; setfattr -n user.a -v b d/f; tar --format=gnu --sparse -cf ../gnu.tar .
    tar --format=posix --xattrs --sparse -cf ../posix.tar .; cd ..; for p in xz zstd; do $p -q -k -0 posix.tar 2>/dev/null || $p -q -k -1 posix.tar; done`,
  );
  const bytes = (name: string): Buffer => readFileSync(join(folder, name));
  const evil: readonly HandMade[] = [
    { name: "ok", content: "x" },
    { name: "link", type: "symlink", link: victim },
    { name: "link/f", content: "evil" },
    { name: "../victim/f", content: "evil" },
    { name: `${victim}/f`, content: "evil" },
    { name: "f", content: "evil" },
  ];
  Object.assign(seeds, {
    gnu: bytes("gnu.tar"),
    posix: bytes("posix.tar"),
    evil: tarOf([...evil, { name: "h", type: "hardlink", link: `${victim}/f` }, { name: "h", content: "evil" }]),
    pax: Buffer.concat([paxOf({ path: "../victim/f", size: "4" }), tarOf(evil)]),
    gz: gzipSync(bytes("posix.tar")),
    xz: bytes("posix.tar.xz"),
    zst: bytes("posix.tar.zst"),
    zip: zipOf([
      { name: "d/", type: "folder", mode: 0o755 },
      { name: "d/f", content: "hello ".repeat(2000), mode: 0o4755 },
      { name: "d/link", type: "symlink", link: victim },
      { name: "n".repeat(120), content: "" },
    ]),
    zipEvil: zipOf(evil),
  });
  return () => removeFolder(folder);
});

/** What tar made of an archive that our reader did not see in it: none of its members, and no folder on the way to one. */
function unknownIn(root: string, archive: Buffer): readonly string[] {
  const known = new Set<string>();
  const reader = new TarReader("origin", ({ name }) => {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    for (const index of parts.keys()) known.add(parts.slice(0, index + 1).join("/"));
    return undefined;
  });
  reader.read(archive);
  const names = execFileSync("find", [root, "-mindepth", "1", "-printf", "%P\\0"], { encoding: "latin1" }).split("\0").slice(0, -1);
  return names.filter((name) => !known.has(name));
}

type Trial = readonly [seed: string, count: number, mutations: readonly Mutation[], pack?: (tar: Buffer) => Buffer];
const ofTar = [flips, cut, doubled, shuffled, forged, forged];
const ofBytes = [flips, flips, cut, doubled];
const compressed = (program: string) => (tar: Buffer) => execFileSync(program, ["-q", "-1", "-c"], { input: tar });

const trials: readonly Trial[] = [
  ["gnu", 180, ofTar],
  ["posix", 180, ofTar],
  ["evil", 150, ofTar],
  ["pax", 100, ofTar],
  ["posix", 60, ofTar, (tar) => gzipSync(tar)],
  ["evil", 40, ofTar, compressed("zstd")],
  ["gz", 80, ofBytes],
  ["xz", 80, ofBytes],
  ["zst", 80, ofBytes],
  ["zip", 120, ofBytes],
  ["zipEvil", 120, ofBytes],
];

describe(`mutated archives (NSPAWN_TEST_SEED=${seed})`, () => {
  test.concurrent.each(trials.map((trial, index) => [index, ...trial] as const))(
    "%i: %s, %i of them: a tree in the folder or an error of ours, and nothing anywhere else",
    async (index, name, count, mutations, pack = (tar: Buffer) => tar) => {
      const before = listTree(victim);
      const random = randomFrom(seed + index * 7919);
      let refused = 0;
      for (let run = 0; run < tries(count); run++) {
        const box = join(folder, `${index}-${run}`);
        mkdirSync(join(box, "out"), { recursive: true });
        const archive = pack(pick(mutations, random)(seeds[name] ?? Buffer.alloc(0), random));
        try {
          await extractArchive(host, Readable.from([archive]), "origin", join(box, "out"), options);
          if (mutations === ofTar && archive[0] === 0x2e) expect(unknownIn(join(box, "out"), archive)).toEqual([]);
        } catch (error) {
          refused++;
          if (!(error instanceof NspawnError)) throw new Error(`archive ${run} of trial ${index}`, { cause: error });
          expect(error.message.length).toBeLessThan(1000);
        }
        expect(readdirSync(box)).toEqual(["out"]);
      }
      expect(listTree(victim)).toEqual(before);
      expect(refused).toBeGreaterThan(0);
    },
    120_000,
  );

  test("are at least a thousand", () => {
    expect(trials.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(1000);
  });
});
