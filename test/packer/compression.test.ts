import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressionOfBytes, compressor, decompressor, few } from "../../src/packer/compression.js";
import { tempFolder } from "../support/temp.js";

describe("compression", () => {
  test.each(["gz", "xz", "zst"] as const)(
    "what the compressor for %s writes is known by its first bytes, and comes back",
    (compression) => {
      const data = Buffer.alloc(3_000_000, "text ");
      const [program, ...args] = compressor(compression);
      const packed = execFileSync(program, args, { input: data, maxBuffer: 1 << 26 });
      expect(packed.length).toBeLessThan(data.length / 10);
      expect(compressionOfBytes(packed)).toBe(compression);
      const [back, ...options] = decompressor(compression);
      expect(execFileSync(back, options, { input: packed, maxBuffer: 1 << 26 }).equals(data)).toBe(true);
    },
  );

  test.each(["gz", "xz", "zst"] as const)("the same input gives the same %s bytes, with however many threads", (compression) => {
    const data = Buffer.from(Array.from({ length: 4_000_000 }, (_, index) => (index * index) >>> 7));
    const [program, ...args] = compressor(compression);
    const packed = (more: readonly string[]): Buffer => execFileSync(program, more, { input: data, maxBuffer: 1 << 26 });
    const first = packed(args);
    expect(packed(args).equals(first)).toBe(true);
    const threads = { gz: ["--processes", "7"], xz: ["--threads", "7"], zst: ["-T7"] }[compression];
    expect(packed([...args, ...threads]).equals(first)).toBe(true);
  });

  test("few bytes are compressed without threads, whatever the number of cores, and come back", () => {
    const data = Buffer.alloc(3_000_000, "text ");
    const [program, ...args] = compressor("zst", few);
    expect(args).toContain("--single-thread");
    expect(compressor("zst", few + 1)).toEqual(compressor("zst"));
    for (const compression of ["gz", "xz"] as const) expect(compressor(compression, 1)).toEqual(compressor(compression));
    const packed = execFileSync(program, args, { input: data, maxBuffer: 1 << 26 });
    const [back, ...options] = decompressor("zst");
    expect(execFileSync(back, options, { input: packed, maxBuffer: 1 << 26 }).equals(data)).toBe(true);
  });

  test.each([
    ["no zstd", undefined],
    ["a zstd that does not know gzip", 'echo "*** Zstandard CLI (64-bit) v1.5.4 ***"; [ "$1" = -vV ]'],
    ["a zstd that knows gzip", '[ "$1" = -vV ] || ulimit -v > "$0.used"; exec /usr/bin/zstd "$@"'],
  ])("with %s, what gzip has packed comes back", (_, zstd) => {
    const folder = tempFolder();
    for (const program of ["sh", "gzip", "pigz"]) symlinkSync(`/usr/bin/${program}`, join(folder, program));
    if (zstd !== undefined) writeFileSync(join(folder, "zstd"), `#!/bin/sh\n${zstd}\n`, { mode: 0o755 });
    const [program, ...options] = decompressor("gz");
    const packed = gzipSync("hello\n");
    expect(execFileSync(program, options, { input: packed, env: { PATH: folder }, encoding: "utf8" })).toBe("hello\n");
    const used = join(folder, "zstd.used");
    // It has 1 GiB of memory, in kB.
    expect(existsSync(used) ? readFileSync(used, "utf8") : "").toBe(zstd?.includes("used") ? "1048576\n" : "");
  });

  test("what is not compressed, or short, is known as such", () => {
    for (const start of ["", "1f", "28b52f", "504b0304", "2e2f"]) expect(compressionOfBytes(Buffer.from(start, "hex"))).toBeUndefined();
  });
});
