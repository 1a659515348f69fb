// @ts-check
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lazily } from "../lazily.mjs";
import { peakMemory, time } from "../measure.mjs";
import { makeTree } from "../tree.mjs";

/** How an archive is packed, and unpacked by hand; in how many rounds. */
const kinds = [
  { ending: "zst", pack: "zstd -q -T0", unpack: "zstd -d", rounds: 4 },
  { ending: "gz", pack: "pigz -1", unpack: "gzip -d", rounds: 2 },
  { ending: "xz", pack: "xz -0 -T0", unpack: "xz -d", rounds: 1 },
];

/**
 * Pulling an image of 1 GB over loopback HTTP, against curl, the decompressor and tar in a pipe, into the same file system. Neither waits for the disk. What a round has
 * extracted stays to the end, 24 GB in all: ext4 gives out no inode that was just freed, and to look for another one took tar 4 s more of either
 * side (recently_deleted() in fs/ext4/ialloc.c).
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function pullRows(place) {
  const folder = join(place.work, "pull");
  let folders = 0;
  const image = lazily(() => makeImage(place, folder));
  /** @param {string} ending */
  const pull = (ending) => [`${place.prefix}/bin/nspawn`, "image", "pull", `${image()}/image.tar.${ending}`];
  /** @param {string} store */
  const environment = (store) => ({ NSPAWN_STORAGE_ROOT: store });
  /** A new folder. */
  const anew = () => {
    const path = join(folder, `round-${++folders}`);
    mkdirSync(path, { recursive: true });
    return path;
  };
  return [
    ...kinds.map(({ ending, unpack, rounds }) => ({
      name: `pull of 1 GB, tar.${ending}`,
      unit: /** @type {const} */ ("ms"),
      rounds,
      ours: () => {
        const argv = pull(ending);
        return time(argv, environment(join(anew(), "store")));
      },
      plain: () => {
        const url = `${image()}/image.tar.${ending}`;
        return time(["bash", "-ec", `set -o pipefail; curl -s "$1" | ${unpack} | tar -x -C "$2"`, "bash", url, anew()]);
      },
      target: `1.15 times curl | ${unpack} | tar -x`,
      holds: (/** @type {number} */ ours, /** @type {number} */ plain) => ours <= 1.15 * plain,
    })),
    {
      name: "pull that is up to date",
      unit: "ms",
      ours: () => {
        const argv = pull("zst");
        const store = join(folder, "store");
        if (!existsSync(store)) time(argv, environment(store));
        return time(argv, environment(store));
      },
      target: "300 ms",
      holds: (ours) => ours <= 300,
    },
    ...kinds.map(({ ending }) => ({
      name: `memory: pull of 1 GB, tar.${ending}`,
      unit: /** @type {const} */ ("MB"),
      rounds: 1,
      ours: () => {
        const argv = pull(ending);
        return peakMemory(place, argv, environment(join(anew(), "store")));
      },
      target: "150 MB",
      holds: (/** @type {number} */ ours) => ours <= 150,
    })),
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
  makeTree(() => join(folder, "tree"), { count: 20_000, bytes: 1e9 });
  execFileSync("tar", ["--create", "--file", join(folder, "image.tar"), "--directory", join(folder, "tree"), "."]);
  for (const { ending, pack } of kinds) {
    execFileSync("sh", ["-ec", `${pack} < "$1" > "$2"`, "sh", join(folder, "image.tar"), join(served, `image.tar.${ending}`)]);
  }
  rmSync(join(folder, "image.tar"));
  rmSync(join(folder, "tree"), { recursive: true });
  const portFile = join(folder, "port");
  const server = spawn(process.execPath, [join(place.project, "bench/file-server.mjs"), served, portFile], { stdio: "ignore" });
  // It would keep this process from its end.
  server.unref();
  process.once("exit", () => server.kill());
  while (!existsSync(portFile)) execFileSync("sleep", ["0.05"]);
  return `http://127.0.0.1:${readFileSync(portFile, "utf8")}`;
}
