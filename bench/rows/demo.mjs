// @ts-check
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { peakMemory } from "../measure.mjs";

/**
 * The tool's own memory while it builds the demo's images: once each, since BOOTSTRAP takes its time.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function demo(place) {
  const folder = join(place.work, "demo");
  const environment = { NSPAWN_STORAGE_ROOT: join(folder, "store") };
  const prepare = () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(join(place.project, "demo/debian"), folder, { recursive: true });
    // Images beside the scripts, not in the folder of this machine that the demo uses.
    for (const script of ["base/build.ts", "web/build.ts"]) {
      const path = join(folder, script);
      writeFileSync(path, readFileSync(path, "utf8").replaceAll("/srv/nspawn-demo/", `${folder}/images/`));
    }
  };
  const build = (/** @type {string} */ script) =>
    peakMemory(place, [`${place.prefix}/bin/nspawn-build`, join(folder, script)], environment);
  /** @type {Pick<import("../measure.mjs").Row, "unit" | "rounds" | "target" | "holds">} */
  const memory = { unit: "MB", rounds: 1, target: "150 MB", holds: (ours) => ours <= 150 };
  return [
    {
      name: "memory: build of demo base (BOOTSTRAP, PUSH)",
      ours: () => {
        prepare();
        return build("base/build.ts");
      },
      ...memory,
    },
    { name: "memory: build of demo web (PULL, SH, PUSH)", ours: () => build("web/build.ts"), ...memory },
  ];
}
