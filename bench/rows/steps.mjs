// @ts-check
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { time } from "../measure.mjs";

const steps = 10;

/**
 * What a RUN(["true"]) costs, against the same command by hand: an overlay mounted in a namespace, and systemd-nspawn in it.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function stepRows({ work, prefix, project }) {
  const folder = join(work, "steps");
  const prepare = () => {
    if (existsSync(folder)) return;
    mkdirSync(join(folder, "root"), { recursive: true });
    const archive = join(project, "test/fixtures/python-nspawn/rootfs.tar.gz");
    cpSync(archive, join(folder, "rootfs.tar.gz"));
    execFileSync("tar", ["-xzf", archive, "-C", join(folder, "root")]);
    for (const count of [1, steps + 1]) writeFileSync(join(folder, `build-${count}.mjs`), script(folder, count));
  };
  const build = (/** @type {number} */ count) =>
    time([`${prefix}/bin/nspawn-build`, join(folder, `build-${count}.mjs`), "--no-cache"], { NSPAWN_STORAGE_ROOT: join(folder, "store") });
  return [
    {
      name: 'RUN(["true"]), each step',
      unit: "ms",
      // The difference of a build with many steps and one with a single step is the steps alone.
      ours: () => {
        prepare();
        return (build(steps + 1) - build(1)) / steps;
      },
      plain: () => {
        let sum = 0;
        for (let step = 0; step < steps; step++) sum += bare(folder);
        return sum / steps;
      },
      target: "1.3 times the bare command",
      holds: (ours, plain) => ours <= 1.3 * plain,
    },
  ];
}

/** @param {string} folder @param {number} count */
function script(folder, count) {
  return [
    'import { IMAGE, PULL, RUN } from "nspawn/build";',
    `IMAGE("file://${folder}/image.tar.zst");`,
    `PULL("file://${folder}/rootfs.tar.gz");`,
    `for (let i = 0; i < ${count}; i++) RUN(["true"]);`,
    "",
  ].join("\n");
}

/** The bare command, as someone would write it by hand. @param {string} folder */
function bare(folder) {
  for (const name of ["upper", "work", "mount"]) {
    rmSync(join(folder, name), { recursive: true, force: true });
    mkdirSync(join(folder, name));
  }
  const options =
    "--quiet --register=no --keep-unit --as-pid2 --console=pipe --link-journal=no --timezone=off --resolv-conf=off --settings=no";
  const lines = `cd ${folder}; mount -t overlay -o lowerdir=root,upperdir=upper,workdir=work overlay mount; exec systemd-nspawn ${options} --bind=/etc/resolv.conf -D mount true`;
  return time(["unshare", "--mount", "--propagation", "private", "sh", "-ec", lines]);
}
