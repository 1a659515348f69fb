import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { longTest } from "../support/tries.js";

const project = new URL("../..", import.meta.url).pathname;
let folder: string;

beforeAll(() => {
  // Not below the project: no node_modules may be near.
  folder = mkdtempSync("/var/tmp/nspawn-package-test-");
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(argv: readonly string[], cwd: string) {
  const [program = "", ...args] = argv;
  const env = { PATH: `${inject("prefix")}/bin:${process.env.PATH}`, HOME: "/root" };
  return spawnSync(program, args, { cwd, env, encoding: "utf8" });
}

test("the installed commands work from any folder, for a script without node_modules near it, by its first line too", () => {
  const script = join(folder, "a script.ts");
  writeFileSync(join(folder, "own.ts"), 'export enum Kind { Tar = "tar.zst" }\n');
  const lines = [
    "#!/usr/bin/env nspawn-build",
    'import { IMAGE, RUN } from "nspawn/build";',
    'import { Kind } from "./own.ts";',
    "const name: string = await Promise.resolve(`x.${Kind.Tar}`);",
    "IMAGE(`file:///srv/${name}`);",
    'RUN(["true"]);',
  ];
  writeFileSync(script, `${lines.join("\n")}\n`);
  chmodSync(script, 0o755);
  for (const [argv, cwd] of [
    [["nspawn-build", script, "--plan"], "/"],
    [["nspawn-build", "a script.ts", "--plan"], folder],
    [[script, "--plan"], "/proc"],
  ] as const) {
    const { status, stdout, stderr } = run(argv, cwd);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain("build file:///srv/x.tar.zst");
    expect(stdout).toContain("RUN true");
  }
});

longTest("an editor finds the types, and refuses what the language does not know", () => {
  const user = join(folder, "typed");
  mkdirSync(join(user, "node_modules"), { recursive: true });
  symlinkSync(join(inject("prefix"), "lib/node_modules/nspawn"), join(user, "node_modules/nspawn"));
  const check = (...lines: readonly string[]): string => {
    writeFileSync(join(user, "build.ts"), `${lines.join("\n")}\nexport {};\n`);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2023", "--types", ""];
    return spawnSync(join(project, "node_modules/.bin/tsc"), [...options, "build.ts"], { cwd: user, encoding: "utf8" }).stdout;
  };
  expect(
    check(
      'import { FETCH, IMAGE, WITH, RUN } from "nspawn/build";',
      'FETCH({ url: "file:///a.tar", source: "/a", target: "/b" }); FETCH({ url: "file:///a.tar", path: "/a" });',
      'IMAGE("file:///a.tar.gz"); WITH({ Boot: true, Bind: [{ source: "/a" }], Environment: { A: 1 }, Hostname: null }); RUN(["true"]);',
    ),
  ).toBe("");
  expect(
    check(
      'import { MACHINE, IMAGE } from "nspawn/setup";',
      'IMAGE("file:///a.tar.gz", { grant: ["Bind"] }); MACHINE({ name: "a", state: "keep" });',
    ),
  ).toBe("");
  for (const wrong of [
    'MACHINE({ state: "keep" })',
    'MACHINE({ name: "a", state: "kept" })',
    'IMAGE("file:///a.tar.gz", { grant: ["Binds"] })',
  ]) {
    expect(check('import { IMAGE, MACHINE } from "nspawn/setup";', "void [IMAGE, MACHINE];", `${wrong};`), wrong).toMatch(
      /build\.ts\(3,\d+\): error TS/,
    );
  }
  for (const wrong of [
    "WITH({ Bot: true })",
    "WITH({ Boot: 7 })",
    'RUN("ls")',
    'COPY({ source: "/a" })',
    "IMAGE()",
    'PULL({ url: "file:///a.tar.gz", digst: "x" })',
    'BOOTSTRAP({ distribution: "arch", release: "x" })',
    'FETCH({ url: "file:///a.tar", path: "/a", target: "/b" })',
  ]) {
    expect(
      check(
        'import { BOOTSTRAP, COPY, FETCH, IMAGE, PULL, RUN, WITH } from "nspawn/build";',
        "void [BOOTSTRAP, COPY, FETCH, IMAGE, PULL, RUN, WITH];",
        `${wrong};`,
      ),
      wrong,
    ).toMatch(/build\.ts\(3,\d+\): error TS/);
  }
});

test("the package holds nothing but what runs: no tests, no sources, and a licence", () => {
  const list = execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { cwd: project, encoding: "utf8" });
  const [{ files }] = JSON.parse(list) as [{ files: readonly { path: string }[] }];
  const paths = files.map(({ path }) => path);
  for (const path of [
    "package.json",
    "README.md",
    "LICENSE",
    "templates/machine-default.service",
    "dist/cli/nspawn-build.cjs",
    "dist/dsl/build.d.ts",
    "dist/LICENSES.txt",
  ])
    expect(paths).toContain(path);
  expect(paths.filter((path) => /^(src|test|scripts|demo|bench)\//.test(path))).toEqual([]);
});
