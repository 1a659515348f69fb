// @ts-check
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lazily } from "../lazily.mjs";
import { peakMemory, pushTime, time } from "../measure.mjs";
import { makeTree } from "../tree.mjs";

const steps = 10;

/**
 * PUSH alone, as the command itself tells its time, against tar and zstd in a pipe on a folder with the same files: of one step with 500 MB
 * in 5,000 files, and of 20,000 files that ten steps have brought, each some into every folder.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function pushRows(place) {
  const kinds = [
    { what: "PUSH of 500 MB", folder: join(place.work, "push"), count: 5000, bytes: 5e8, from: 1, limit: 1.2 },
    {
      what: `PUSH of 20,000 files in ${steps} steps`,
      folder: join(place.work, "flatten"),
      count: 20_000,
      bytes: 2e8,
      from: steps,
      limit: 1.2,
    },
  ];
  return kinds.flatMap(({ what, folder, from, limit, ...size }) => {
    const script = lazily(() => makeProject(folder, from, size));
    const build = () => {
      const argv = [`${place.prefix}/bin/nspawn-build`, script(), "--no-cache", "--json"];
      rmSync(join(folder, "image.tar.zst"), { force: true });
      return argv;
    };
    const environment = { NSPAWN_STORAGE_ROOT: join(folder, "store") };
    return [
      {
        name: what,
        unit: /** @type {const} */ ("ms"),
        rounds: 3,
        ours: () => pushTime(build(), environment),
        plain: () => {
          const pipe = 'set -o pipefail; tar --create --directory "$1" . | zstd -q -T0 > "$2"';
          return time(["bash", "-ec", pipe, "bash", join(folder, "tree"), join(folder, "plain.tar.zst")].map((word) => String(word)));
        },
        target: `${limit} times tar | zstd -T0`,
        holds: (/** @type {number} */ ours, /** @type {number} */ plain) => ours <= limit * plain,
      },
      {
        name: `memory: ${what}`,
        unit: /** @type {const} */ ("MB"),
        rounds: 1,
        ours: () => peakMemory(place, build(), environment),
        target: "150 MB",
        holds: (/** @type {number} */ ours) => ours <= 150,
      },
    ];
  });
}

/**
 * A script that copies the files in some steps, and the same files in one folder for plain tar.
 * @param {string} folder @param {number} from how many steps @param {{ readonly count: number, readonly bytes: number }} size
 * @returns its path
 */
function makeProject(folder, from, size) {
  makeTree((index) => join(folder, `step-${index % from}`), size);
  makeTree(() => join(folder, "tree"), size);
  const copies = Array.from({ length: from }, (_, step) => `COPY({ source: "step-${step}", target: "/" });`);
  const path = join(folder, "build.mjs");
  mkdirSync(folder, { recursive: true });
  const image = `IMAGE("file://${folder}/image.tar.zst");`;
  writeFileSync(path, ['import { COPY, IMAGE, PUSH } from "nspawn/build";', image, ...copies, "PUSH();", ""].join("\n"));
  return path;
}
