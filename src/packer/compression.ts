import { availableParallelism } from "node:os";
import type { Argv } from "../host/host.js";
import { hasProgram } from "../host/programs.js";
import type { Compression } from "../plan/image-ref.js";

/**
 * The program that compresses on all cores. Never fewer than two threads: with one, pigz and xz write other bytes, and the
 * same image would have another digest on another machine.
 */
export function compressor(compression: Compression): Argv {
  const threads = String(Math.max(2, availableParallelism()));
  switch (compression) {
    case "gz":
      return ["pigz", "--no-name", "--stdout", "--processes", threads];
    case "xz":
      return ["xz", "--stdout", "--threads", threads];
    case "zst":
      return ["zstd", "--quiet", "--stdout", `-T${threads}`];
  }
}

/** What an archive is compressed with, by its first bytes: names lie, content does not. Undefined: not compressed. */
export function compressionOfBytes(start: Buffer): Compression | undefined {
  const magics: Readonly<Record<Compression, string>> = { gz: "1f8b", xz: "fd377a585a00", zst: "28b52ffd" };
  const hex = start.subarray(0, 6).toString("hex");
  return (Object.keys(magics) as Compression[]).find((compression) => hex.startsWith(magics[compression]));
}

/**
 * The program that decompresses from its input to its output. xz has a limit of memory, since an archive says how much it takes (its own
 * presets take 65 MiB at most); zstd has one of 128 MiB anyway.
 */
export function decompressor(compression: Compression): Argv {
  switch (compression) {
    case "gz":
      return [hasProgram("pigz") ? "pigz" : "gzip", "--decompress", "--stdout"];
    case "xz":
      return ["xz", "--decompress", "--stdout", "--threads=0", "--memlimit-decompress=1GiB"];
    case "zst":
      return ["zstd", "--quiet", "--decompress", "--stdout"];
  }
}
