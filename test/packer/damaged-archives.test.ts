import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import { ArchiveError } from "../../src/packer/archive-error.js";
import { extractArchive } from "../../src/packer/extract.js";
import { testLimits } from "../support/config.js";
import { tarOf, zipOf } from "../support/hand-made.js";
import { makeTempFolder } from "../support/temp.js";
import { listTree } from "../support/tree.js";
import { isLong } from "../support/tries.js";

const host = new LocalHost();
const origin = "https://example.org/a";
const options = { layer: true, devices: "whiteouts", limits: testLimits } as const;

const members = [
  { name: "d/", type: "folder", mode: 0o755 },
  { name: "d/f", content: "hello ".repeat(50), mode: 0o4755 },
  { name: "link", type: "symlink", link: "d/f" },
] as const;
const tar = tarOf(members);
const pack = (program: string): Buffer => execFileSync(program, ["-q", "-c"], { input: tar });

const archives: Readonly<Record<string, () => Buffer>> = {
  tar: () => tar,
  "tar.gz": () => gzipSync(tar),
  "tar.xz": () => pack("xz"),
  "tar.zst": () => pack("zstd"),
  zip: () => zipOf(members),
};

/** What is in the folder afterwards, or the error. Whatever it is, nothing is beside the folder. */
async function outcome(archive: Buffer): Promise<readonly string[] | Error> {
  const box = makeTempFolder();
  mkdirSync(join(box, "out"));
  try {
    await extractArchive(host, Readable.from([archive]), origin, join(box, "out"), options);
    // The folder itself has the time of this trial.
    return listTree(join(box, "out")).slice(1);
  } catch (error) {
    return error as Error;
  } finally {
    expect(readdirSync(box)).toEqual(["out"]);
    rmSync(box, { recursive: true });
  }
}

/** Calls `work` with all numbers below `end`, some at a time. */
async function forEach(end: number, work: (number: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: end }, (_, number) => number).values();
  const lane = async (): Promise<void> => {
    for (const number of numbers) await work(number);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

describe.each(Object.keys(archives))("a .%s archive", (kind) => {
  const whole = archives[kind]?.() ?? Buffer.alloc(0);
  /** Behind the end mark of a tar archive nothing is missing. */
  const end = kind === "tar" ? whole.indexOf(Buffer.alloc(1024)) + 1024 : whole.length;

  test("that is cut at any byte is refused, by its name", async () => {
    // Of a plain tar archive, most bytes are alike.
    const step = kind === "tar" ? 29 : isLong ? 1 : 8;
    await forEach(Math.ceil(end / step), async (index) => {
      const error = await outcome(whole.subarray(0, index * step));
      expect(error, `cut at ${index * step}`).toBeInstanceOf(Error);
      if (index > 600 / step) expect(error, `cut at ${index * step}`).toBeInstanceOf(ArchiveError);
      expect((error as Error).message).toContain(origin);
    });
  });
});

describe.each(["tar.gz", "tar.xz", "tar.zst"])("a .%s archive", (kind) => {
  test("with any bit the other way round is the same tree or refused", async () => {
    const whole = archives[kind]?.() ?? Buffer.alloc(0);
    const tree = await outcome(whole);
    expect(tree).toHaveLength(3);
    let refused = 0;
    const step = isLong ? 1 : 8;
    const first = isLong ? 0 : Math.floor(Math.random() * step);
    await forEach(Math.floor((whole.length - first) / step), async (index) => {
      const at = first + index * step;
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const after = await outcome(changed);
      if (after instanceof Error) refused++;
      else expect(after, `byte ${at}`).toEqual(tree);
    });
    expect(refused).toBeGreaterThan(whole.length / step / 2);
  });
});
