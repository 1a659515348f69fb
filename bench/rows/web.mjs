// @ts-check
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lazily } from "../lazily.mjs";
import { peakMemory, time } from "../measure.mjs";

/**
 * Builds of the demo's web image, against its commands by hand (web-by-hand.sh). Packages come from a mirror each time that its first step is
 * done, so those rows are as even as that is.
 * @param {import("../measure.mjs").Place} place
 * @returns {readonly import("../measure.mjs").Row[]}
 */
export function webRows(place) {
  const folder = join(place.work, "web");
  const script = join(folder, "web/build.ts");
  const store = join(folder, "store");
  const environment = { NSPAWN_STORAGE_ROOT: store };
  const argv = [`${place.prefix}/bin/nspawn-build`, script];
  const base = lazily(() => makeBase(place, folder, environment));
  const byHand = (/** @type {string} */ what) => time([join(place.project, "bench/web-by-hand.sh"), what, folder]);
  const original = lazily(() => readFileSync(script, "utf8"));
  let changes = 0;
  /** Writes the script with another text in a step, or as it was; each time another one. @param {"first" | "last" | "nothing"} what */
  const change = (what) => {
    base();
    changes++;
    const changed = {
      first: () => original().replace("SH(`", `SH(\`: ${changes}; `),
      last: () => original().replace('RUN(["', `RUN(["/usr/bin/env", "BENCH=${changes}", "`),
      nothing: () => original(),
    }[what]();
    if (what !== "nothing" && changed === original()) throw new Error(`the demo's script has no ${what} step that is known here`);
    writeFileSync(script, changed);
  };
  /** As if there had been no build yet. */
  const forget = () => {
    change("nothing");
    for (const path of [store, join(folder, "images/web.tar.zst")]) rmSync(path, { recursive: true, force: true });
  };
  /** What is rebuilt has been built before, and what is done by hand has its base. */
  const built = () => {
    if (existsSync(join(folder, "images/web.tar.zst"))) return;
    change("nothing");
    time(argv, environment);
  };
  const handled = () => {
    base();
    if (!existsSync(join(folder, "hand/image.tar.zst"))) byHand("root");
  };
  /** @param {string} name @param {() => void} before @param {readonly string[]} [options] @returns {import("../measure.mjs").Row} */
  const memory = (name, before, options = []) => ({
    name: `memory: ${name}`,
    unit: "MB",
    rounds: 1,
    ours: () => {
      before();
      return peakMemory(place, [...argv, ...options], environment);
    },
    target: "150 MB",
    holds: (ours) => ours <= 150,
  });
  return [
    {
      name: "first build of demo web",
      unit: "ms",
      rounds: 2,
      ours: () => {
        forget();
        return time(argv, environment);
      },
      plain: () => byHand("root"),
      target: "1.1 times its commands by hand",
      holds: (ours, plain) => ours <= 1.1 * plain,
    },
    {
      name: "rebuild of demo web, unchanged",
      unit: "ms",
      ours: () => {
        built();
        change("nothing");
        return time(argv, environment);
      },
      target: "400 ms",
      holds: (ours) => ours <= 400,
    },
    {
      name: "nspawn-build --plan of demo web, built before",
      unit: "ms",
      ours: () => {
        built();
        change("nothing");
        return time([...argv, "--plan"], environment);
      },
      plain: () => time([process.execPath, "-e", "0"]),
      target: "node -e 0 plus 150 ms",
      holds: (ours, plain) => ours - plain <= 150,
    },
    {
      name: "rebuild of demo web, last step changed",
      unit: "ms",
      ours: () => {
        built();
        change("last");
        return time(argv, environment);
      },
      plain: () => {
        handled();
        return byHand("last");
      },
      target: "that step by hand plus 500 ms",
      holds: (ours, plain) => ours - plain <= 500,
    },
    {
      name: "rebuild of demo web, first step changed",
      unit: "ms",
      rounds: 2,
      ours: () => {
        built();
        change("first");
        return time(argv, environment);
      },
      plain: () => {
        handled();
        return byHand("first");
      },
      target: "1.1 times its commands by hand",
      holds: (ours, plain) => ours <= 1.1 * plain,
    },
    { name: "memory: build of demo base (BOOTSTRAP)", unit: "MB", rounds: 1, ours: base, target: "150 MB", holds: (ours) => ours <= 150 },
    memory("first build of demo web", forget),
    memory("rebuild of demo web, unchanged", () => built()),
    memory("nspawn-build --plan of demo web", () => built(), ["--plan"]),
  ];
}

/**
 * The demo in a folder of its own, with the images beside it, and its base built.
 * @param {import("../measure.mjs").Place} place
 * @param {string} folder
 * @param {Readonly<Record<string, string>>} environment
 * @returns the memory that the build of the base took
 */
function makeBase(place, folder, environment) {
  mkdirSync(folder, { recursive: true });
  cpSync(join(place.project, "demo/debian"), folder, { recursive: true });
  for (const name of ["base/build.ts", "web/build.ts"]) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("/srv/nspawn-demo/debian/", `${folder}/images/`));
  }
  return peakMemory(place, [`${place.prefix}/bin/nspawn-build`, join(folder, "base/build.ts")], environment);
}
