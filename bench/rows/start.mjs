// @ts-check
import { time } from "../measure.mjs";

/**
 * How long commands take to start, against Node alone.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function start({ prefix, project }) {
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
    { name: "nspawn-build --help", unit: "ms", ours: () => time([build, "--help"]), ...within(80) },
    { name: "nspawn-setup --help", unit: "ms", ours: () => time([setup, "--help"]), ...within(80) },
    { name: "nspawn --help", unit: "ms", ours: () => time([`${prefix}/bin/nspawn`, "--help"]), ...within(80) },
    {
      name: "nspawn-build --plan (demo web)",
      unit: "ms",
      ours: () => time([build, `${project}/demo/debian/web/build.ts`, "--plan"]),
      ...within(150),
    },
  ];
}
