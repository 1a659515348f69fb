// @ts-check
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { peakMemory, time } from "../measure.mjs";

/** Bytes of the files in the image. */
const size = 1_000_000_000;

/** How an archive is packed, and unpacked by hand. */
const kinds = [
  { ending: "zst", pack: "zstd -q -T0", unpack: "zstd -d" },
  { ending: "gz", pack: "pigz", unpack: "gzip -d" },
  { ending: "xz", pack: "xz -1 -T0", unpack: "xz -d" },
];

/**
 * Pulling an image of 1 GB over loopback HTTP, against curl, the decompressor and tar in a pipe, into the same file system.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function pullRows(place) {
  const folder = join(place.work, "pull");
  const store = join(folder, "store");
  const image = lazily(() => makeImage(place, folder));
  /** @param {string} ending */
  const pull = (ending) => [`${place.prefix}/bin/nspawn`, "image", "pull", `${image()}/image.tar.${ending}`];
  const environment = { NSPAWN_STORAGE_ROOT: store };
  const empty = () => {
    for (const path of [store, join(folder, "plain")]) rmSync(path, { recursive: true, force: true });
    mkdirSync(join(folder, "plain"), { recursive: true });
    // What the round before has left to be written is none of this one's time.
    execFileSync("sync");
  };
  return [
    ...kinds.map(({ ending, unpack }) => ({
      name: `pull of 1 GB, tar.${ending}`,
      unit: /** @type {const} */ ("ms"),
      rounds: 3,
      ours: () => {
        const argv = pull(ending);
        empty();
        return time(argv, environment);
      },
      plain: () => {
        const url = `${image()}/image.tar.${ending}`;
        empty();
        return time(["bash", "-ec", `set -o pipefail; curl -s "$1" | ${unpack} | tar -x -C "$2"`, "bash", url, join(folder, "plain")]);
      },
      target: "1.15 times the pipe",
      holds: (/** @type {number} */ ours, /** @type {number} */ plain) => ours <= 1.15 * plain,
    })),
    {
      name: "memory: pull of 1 GB, tar.zst",
      unit: "MB",
      rounds: 1,
      ours: () => {
        const argv = pull("zst");
        empty();
        return peakMemory(place, argv, environment);
      },
      target: "150 MB",
      holds: (ours) => ours <= 150,
    },
    {
      name: "pull that is up to date",
      unit: "ms",
      ours: () => {
        const argv = pull("zst");
        if (!existsSync(store)) time(argv, environment);
        return time(argv, environment);
      },
      target: "300 ms",
      holds: (ours) => ours <= 300,
    },
  ];
}

/**
 * Makes the archives, and a server for them, which ends with this process.
 * @param {import("../measure.mjs").Place} place
 * @param {string} folder
 * @returns the URL of the server
 */
function makeImage(place, folder) {
  const served = join(folder, "served");
  mkdirSync(served, { recursive: true });
  makeTree(join(folder, "tree"));
  execFileSync("tar", ["--create", "--file", join(folder, "image.tar"), "--directory", join(folder, "tree"), "."]);
  for (const { ending, pack } of kinds) {
    execFileSync("sh", ["-ec", `${pack} < "$1" > "$2"`, "sh", join(folder, "image.tar"), join(served, `image.tar.${ending}`)]);
  }
  rmSync(join(folder, "image.tar"));
  rmSync(join(folder, "tree"), { recursive: true });
  const portFile = join(folder, "port");
  const server = spawn(process.execPath, [join(place.project, "bench/file-server.mjs"), served, portFile], { stdio: "ignore" });
  process.once("exit", () => server.kill());
  while (!existsSync(portFile)) execFileSync("sleep", ["0.05"]);
  return `http://127.0.0.1:${readFileSync(portFile, "utf8")}`;
}

/**
 * 20,000 files from a few bytes to a megabyte in 500 folders, about as easy to compress as programs and their data are; always the same.
 * @param {string} root
 */
function makeTree(root) {
  const random = generator(1);
  // Half of it is noise, the other half are words.
  const pool = Buffer.alloc(32 << 20);
  const words = Array.from({ length: 2000 }, () =>
    random()
      .toString(36)
      .slice(2, 4 + random() * 8),
  );
  for (let at = 0; at < pool.length; ) {
    const isNoise = random() < 0.02;
    const piece = isNoise
      ? Buffer.from(Float64Array.from({ length: 512 }, random).buffer)
      : Buffer.from(`${words[Math.floor(random() * words.length)]} `);
    piece.copy(pool, at);
    at += piece.length;
  }
  const count = 20_000;
  const weights = Array.from({ length: count }, () => random() ** 8);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (let folder = 0; folder < 500; folder++) mkdirSync(join(root, `usr/folder-${folder}`), { recursive: true });
  for (const [index, weight] of weights.entries()) {
    const length = Math.min(pool.length, Math.round((weight / sum) * size));
    const start = Math.floor(random() * (pool.length - length));
    writeFileSync(join(root, `usr/folder-${index % 500}/file-${index}`), pool.subarray(start, start + length));
  }
}

/** Numbers from 0 to 1 that are the same in each run (mulberry32). @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @template T @param {() => T} make @returns {() => T} */
function lazily(make) {
  /** @type {{ readonly value: T } | undefined} */
  let made;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
