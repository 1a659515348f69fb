import { chmodSync, readFileSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { sh } from "../support/tree.js";
import { longTest, sample, tries } from "../support/tries.js";
import { Lab } from "./support/build.js";
import { Project, steps } from "./support/project.js";

const lab = new Lab();
afterAll(() => lab.remove());

/** Changes of a project and of the image that it begins with, each of which a build has to see. */
const changes: Readonly<Record<string, (project: Project, script: string[]) => void>> = {
  content: ({ folder }) => writeFileSync(join(folder, "data/a.txt"), "other"),
  mode: ({ folder }) => chmodSync(join(folder, "data/sub"), 0o700),
  owner: ({ folder }) => sh(folder, "chown 12:34 data/a.txt"),
  "symlink target": ({ folder }) => {
    unlinkSync(join(folder, "data/link"));
    symlinkSync("sub/b.txt", join(folder, "data/link"));
  },
  "file added": ({ folder }) => writeFileSync(join(folder, "data/sub/new"), "new"),
  "file removed": ({ folder }) => unlinkSync(join(folder, "data/sub/c.txt")),
  "file renamed": ({ folder }) => renameSync(join(folder, "data/t.txt"), join(folder, "data/u.txt")),
  time: ({ folder }) => utimesSync(join(folder, "data/a.txt"), 1000, 1000),
  "hard link": ({ folder }) => sh(folder, "ln data/sub/b.txt data/sub/d.txt"),
  attribute: ({ folder }) => sh(folder, "setfattr -n user.x -v 1 data/a.txt"),
  template: ({ folder }) => writeFileSync(join(folder, "part.txt"), "another part"),
  "template variable": (_, script) => replace(script, '"hello"', '"bye"'),
  environment: (_, script) => void script.unshift('WITH({ Environment: { A: "1" } });'),
  "base image's version": ({ base }) => {
    const path = base.slice("file://".length);
    sh(
      "/",
      'gzip -dc "$1" > "$1.tar"; echo new > /tmp/$$; tar -rf "$1.tar" -C /tmp --transform "s,.*,./new," $$; rm /tmp/$$; gzip -c "$1.tar" > "$1.new"; mv "$1.new" "$1"',
      path,
    );
  },
  "script text": (_, script) => replace(script, "> /one", "> /one; echo x >> /one"),
  order: (_, script) => void script.reverse(),
  "step removed": (_, script) => void script.pop(),
  nothing: () => undefined,
};

function replace(script: string[], from: string, to: string): void {
  for (const [index, line] of script.entries()) script[index] = line.replace(from, to);
}

const copy = 'COPY({ source: "/data", target: "/opt/data" });';
const cast = 'CAST({ source: "/t", target: "/opt/t" }, { word: "hello" });';
const list = 'SH("mkdir -p /opt; { ls /; ls -R /opt; } > /one");';
/** Steps that see something of those before them. */
const someSteps = fc.shuffledSubarray([copy, list, cast, 'RUN(["ln", "-s", "x", "/two"]);'], { minLength: 2 }).map((script) => [...script]);

/** A step, and all that it is made from but for what lies below it, by other means than those of the cache. */
function inputs({ folder }: Project, script: readonly string[]): readonly string[] {
  const seen: Readonly<Record<string, () => string>> = {
    [copy]: () =>
      sh(folder, 'find data -printf "%p %y %m %T@ %l\\n" -type f -exec cat {} + ; find data -samefile data/sub/b.txt; getfattr -Rd data'),
    [cast]: () => sh(folder, "cat t/page.txt part.txt"),
  };
  const settings = script.filter((line) => line.startsWith("WITH"));
  return script
    .filter((line) => !line.startsWith("WITH"))
    .map((line) => [line, seen[line]?.(), /^(SH|RUN)/.test(line) && settings].join("\n"));
}

/** Below steps of a script that starts commands lies what systemd-nspawn makes in the root, which is none of the image's own. */
function startsCommands(script: readonly string[]): boolean {
  return script.some((line) => /^(SH|RUN)/.test(line));
}

const bare = join(lab.folder, "bare");
const env = { SOURCE_DATE_EPOCH: "1000000000" };
let count = 0;

/** Builds a project, changes it, and builds it once more, with the cache and without. */
async function compare(kinds: readonly string[], script: string[]): Promise<void> {
  const what = `${kinds.join(", ")} of ${script.join(" ")}`;
  const base = `base-${++count}.tar.gz`;
  writeFileSync(lab.archive(base), readFileSync(lab.busybox.slice("file://".length)));
  const project = new Project(lab, "same", lab.url(base));
  writeFileSync(join(project.folder, "data/t.txt"), "t");
  project.write(script);
  await project.build([], { env });
  const before = inputs(project, script);
  for (const kind of kinds) changes[kind]?.(project, script);
  project.write(script);
  const ended = await project.build([], { env });
  const withCache = project.archive();
  await project.build(["--no-cache", "--force"], { env, store: bare });
  expect(withCache.equals(project.archive()), what).toBe(true);
  // What did not change was not done again.
  const after = inputs(project, script);
  const changed = after.findIndex((input, index) => input !== before[index]);
  const isOther = kinds.includes("base image's version") || startsCommands(before) !== startsCommands(after);
  const same = isOther ? 0 : changed < 0 ? after.length : changed;
  expect(steps(ended), what).toHaveLength(after.length);
  expect(steps(ended).slice(0, same), what).toEqual(after.slice(0, same).map(() => "cached"));
}

test.each(sample(Object.keys(changes)))("a build with the cache is, byte for byte, one without it, after a change: %s", async (kind) => {
  const [chosen = []] = fc.sample(someSteps, 1);
  const needed = kind.startsWith("template") ? cast : ["environment", "script text"].includes(kind) ? list : copy;
  await compare([kind], [...new Set([...chosen, needed])]);
});

longTest("and after several changes at once", async () => {
  const kinds = fc.shuffledSubarray(Object.keys(changes), { minLength: 2, maxLength: 5 });
  await fc.assert(fc.asyncProperty(kinds, someSteps, compare), { numRuns: tries(12), endOnFailure: true });
});
