import { availableParallelism } from "node:os";
import { CommandError } from "../base/errors.js";
import type { Argv, Command, Host } from "../host/host.js";
import { hasProgram, programPath } from "../host/programs.js";
import type { Compression } from "../plan/image-ref.js";

/** Bytes of which zstd makes one piece by default: of as few as that, threads have nothing to share, and it takes a third less time without any. */
export const few = 1 << 23;

/**
 * The program that compresses, on all cores if there is enough for them. Never fewer than two threads otherwise: with one, pigz and xz write other bytes,
 * and the same image would have another digest on another machine. Nothing but the content decides.
 * @param bytes of the content
 */
export function compressor(compression: Compression, bytes = Number.POSITIVE_INFINITY): Argv {
  const threads = String(Math.max(2, availableParallelism()));
  switch (compression) {
    case "gz":
      return ["pigz", "--no-name", "--stdout", "--processes", threads];
    case "xz":
      return ["xz", "--stdout", "--threads", threads];
    case "zst":
      if (bytes <= few) return ["zstd", "--quiet", "--stdout", "--single-thread"];
      // Pieces of 3 MiB, not 8: with a small image the cores begin while tar is at work. Each knows the mebibyte before it, or archives would be larger.
      return ["zstd", "--quiet", "--stdout", `-T${threads}`, "-B3M", "--zstd=overlapLog=8"];
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
 * presets take 65 MiB at most); zstd has one of 128 MiB anyway. What gzip has packed zstd unpacks in a quarter less time than pigz, if it
 * was built to know it: whether it was is asked on the way, since each program that we start ourselves takes longer than that. Behind gzip's data it
 * would go on with that of other programs, of xz with any memory, so it has no more than the others here either (1 GiB).
 */
export function decompressor(compression: Compression): Argv {
  switch (compression) {
    case "gz":
      return [
        "sh",
        "-c",
        'case "$(zstd -vV 2>&1)" in *gzip*) ulimit -v 1048576; exec "$@" ;; esac; exec "$0" --decompress --stdout',
        gunzip(),
        ...zstd,
      ];
    case "xz":
      return ["xz", "--decompress", "--stdout", "--threads=0", "--memlimit-decompress=1GiB"];
    case "zst":
      return zstd;
  }
}

const zstd: Argv = ["zstd", "--quiet", "--decompress", "--stdout"];

function gunzip(): string {
  return programPath(hasProgram("pigz") ? "pigz" : "gzip");
}

/**
 * Decompresses. Other bytes behind the end of what gzip packed are left out, such as the zeros that tapes pad archives with, if they do not begin like
 * something that zstd knows: it looks at them only when all before was whole. pigz leaves out whatever is there.
 * @throws CommandError, and as {@link Host.run}
 */
export async function runDecompressor(host: Host, compression: Compression, streams: Omit<Command, "argv">): Promise<void> {
  try {
    await host.run({ argv: decompressor(compression), ...streams });
  } catch (error) {
    if (compression !== "gz" || !(error instanceof CommandError) || !otherBytes.test(error.output)) throw error;
  }
}

/** zstd of what begins like nothing it knows, and of too few bytes to tell. */
const otherBytes = /^zstd: .*: (?:unsupported format|unknown header) *$/;
