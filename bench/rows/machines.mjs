// @ts-check
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const host = "nspawn-bench";

/**
 * Machines of BusyBox on a disposable host, 100 of them at once; they are made when the first row is measured.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function machineRows(place) {
  let isReady = false;
  /** @param {string} task of machines-in-host.mjs */
  const measure = (task) => () => {
    if (!isReady) boot(place);
    isReady = true;
    return Number(inHost(place, task));
  };
  /** @param {number} limit @returns {Pick<import("../measure.mjs").Row, "unit" | "target" | "holds">} */
  const within = (limit) => ({ unit: "ms", target: `${limit} ms`, holds: (ours) => ours <= limit });
  return [
    { name: "machine list, 100 machines", ours: measure("list"), ...within(1000) },
    { name: "setup of the 101st machine", ours: measure("setup"), ...within(1000) },
    { name: "update without a change", ours: measure("same"), ...within(400) },
    {
      name: "down time of an update",
      unit: "ms",
      ours: measure("update"),
      plain: measure("restart"),
      target: "1.2 times systemctl restart",
      holds: (ours, plain) => ours <= 1.2 * plain,
    },
  ];
}

/**
 * Boots the host, which ends with this process.
 * @param {import("../measure.mjs").Place} place
 */
function boot(place) {
  const folder = join(place.work, "machines");
  mkdirSync(folder, { recursive: true });
  const log = join(folder, "boot.log");
  const binds = [
    `${place.prefix}:/usr/local`,
    `${place.project}/test/fixtures/python-nspawn:/srv/fix`,
    `${place.project}/bench:/srv/bench`,
  ];
  const booting = spawn(join(place.project, "scripts/host"), ["boot", host, ...binds.flatMap((bind) => ["--bind-ro", bind])], {
    stdio: ["ignore", openSync(log, "w"), "inherit"],
    env: { ...process.env, NSPAWN_HOST_PARENT: String(process.pid) },
  });
  booting.unref();
  process.once("exit", () => booting.kill());
  while (!readFileSync(log, "utf8").includes("ready")) execFileSync("sleep", ["0.05"]);
  inHost(place, "prepare");
}

/** @param {import("../measure.mjs").Place} place @param {string} task */
function inHost({ project }, task) {
  const argv = ["enter", host, "--", "node", "/srv/bench/machines-in-host.mjs", task];
  return execFileSync(join(project, "scripts/host"), argv, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
