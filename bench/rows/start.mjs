// @ts-check
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { time } from "../measure.mjs";

/**
 * How long commands take to start, against Node alone.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function start({ work, prefix, project }) {
  const build = `${prefix}/bin/nspawn-build`;
  const setup = `${prefix}/bin/nspawn-setup`;
  const bare = () => time([process.execPath, "-e", "0"]);
  /** @param {number} limit */
  const within = (limit) => ({
    plain: bare,
    target: `node -e 0 plus ${limit} ms`,
    holds: (/** @type {number} */ ours, /** @type {number} */ plain) => ours - plain <= limit,
  });
  return [
    { name: "nspawn-build --help", unit: "ms", ours: () => time([build, "--help"]), ...within(60) },
    { name: "nspawn-setup --help", unit: "ms", ours: () => time([setup, "--help"]), ...within(60) },
    { name: "nspawn --help", unit: "ms", ours: () => time([`${prefix}/bin/nspawn`, "--help"]), ...within(60) },
    {
      name: "nspawn-build --plan (demo web)",
      unit: "ms",
      ours: () => {
        const folder = join(work, "plan");
        if (!existsSync(folder)) prepare(folder, project, prefix);
        return time([build, join(folder, "web/build.ts"), "--plan"], { NSPAWN_STORAGE_ROOT: join(folder, "store") });
      },
      ...within(150),
    },
  ];
}

/**
 * The demo, with a small image in the place of its base, which is in the store already.
 * @param {string} folder @param {string} project @param {string} prefix
 */
function prepare(folder, project, prefix) {
  cpSync(join(project, "demo/debian"), folder, { recursive: true });
  const base = join(folder, "base.tar.gz");
  cpSync(join(project, "test/fixtures/python-nspawn/rootfs.tar.gz"), base);
  const script = join(folder, "web/build.ts");
  writeFileSync(script, readFileSync(script, "utf8").replace("/srv/nspawn-demo/debian/base.tar.zst", base));
  time([`${prefix}/bin/nspawn`, "image", "pull", `file://${base}`], { NSPAWN_STORAGE_ROOT: join(folder, "store") });
}
