import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeImage } from "../support/archive.js";
import { type Cli, type CliResult, compileCli } from "../support/cli.js";
import { writeFiles } from "../support/files.js";
import { makeTempFolder, removeFolder } from "../support/temp.js";

let compiled: string;
let scripts: string;
let cli: Cli;

beforeAll(() => {
  compiled = makeTempFolder();
  scripts = makeTempFolder();
  cli = compileCli(compiled);
});
afterAll(() => {
  for (const folder of [compiled, scripts]) removeFolder(folder);
});

/** A folder for one script. The tests run side by side, so it is removed at the end of all. */
const tempFolder = (): string => mkdtempSync(join(scripts, "script-"));

const head = `import { IMAGE, PULL, WITH, COPY, SH, RUN, EXEC, PUSH } from "nspawn/build";\n`;
const image = `IMAGE("https://h/web.tar.zst");\n`;

/** Writes files, then shows the plan of one of them. */
async function plan(script: string, files: Readonly<Record<string, string>>): Promise<CliResult & { readonly at: string }> {
  const at = tempFolder();
  writeFiles(at, files);
  return { ...(await cli.run("nspawn-build", [join(at, script), "--plan"], at)), at };
}

function expectPlanned({ code, stdout, stderr }: CliResult, ...lines: readonly string[]): void {
  expect(stderr).toBe("");
  expect(code).toBe(0);
  // Lines of the plan end in the place where the script says so.
  const shown = stdout.split("\n").map((line) =>
    line
      .replace(/^ +(\d+ +)?/, "")
      .replace(/ {2,}\S.*$/, "")
      .trim(),
  );
  for (const line of lines) expect(shown).toContain(line);
}

const firstLine = ({ stderr }: CliResult): string | undefined => stderr.split("\n")[0];

/** The lines that name a place. */
function problems({ stderr }: CliResult): readonly string[] {
  return stderr.split("\n").filter((line) => /^\S.*:\d+: error: /.test(line));
}

describe.concurrent("scripts that run", () => {
  test.each(["build.ts", "build.mts", "build.js", "build.mjs"])("%s", async (name) => {
    expectPlanned(
      await plan(name, { [name]: `#!/usr/bin/env nspawn-build\n${head}${image}SH("true");\nPUSH();\n` }),
      "build https://h/web.tar.zst",
      "SH true",
      "https://h/web.tar.zst",
    );
  });

  test("a script by a symlink has its own folder, not that of the link", async () => {
    const at = tempFolder();
    writeFiles(at, { "web/build.ts": `${head}${image}COPY("/etc");\n`, "web/etc/motd": "hello" });
    mkdirSync(join(at, "bin"));
    symlinkSync("../web/build.ts", join(at, "bin/build"));
    expectPlanned(await cli.run("nspawn-build", [join(at, "bin/build"), "--plan"], at), "COPY /etc → /etc");
  });

  test.each(["my web/build it.ts", "wéb/büild.ts", "a%20b/build.ts", "a#b/build.ts", "a?b/build.ts"])("a path such as %s", async (path) => {
    expectPlanned(await plan(path, { [path]: `${head}${image}SH("true");\n` }), "SH true");
  });

  test("a folder that says its modules are CommonJS", async () => {
    for (const name of ["build.ts", "build.js"])
      expectPlanned(await plan(name, { [name]: `${head}${image}SH("true");\n`, "package.json": '{"type":"commonjs"}' }), "SH true");
  });

  test("a script beside a package of the same name still gets our keywords", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}${image}SH("true");\n`,
      "node_modules/nspawn/package.json": '{"name":"nspawn","type":"module","exports":{"./build":"./build.js"}}',
      "node_modules/nspawn/build.js": "throw new Error('the wrong package');\n",
    });
    expectPlanned(result, "SH true");
  });

  test.each(["./helper", "./helper.ts", "./helper.js", "./lib", "./lib/index.js", "./helper.mjs"])(
    "a helper module by %s",
    async (specifier) => {
      const helper = "export const text: string = 'from the helper';\n";
      const result = await plan("build.ts", {
        "build.ts": `${head}import { text } from "${specifier}";\n${image}SH(text);\n`,
        "helper.ts": helper,
        "helper.mts": helper,
        "lib/index.ts": helper,
      });
      expectPlanned(result, "SH from the helper");
    },
  );

  test("helpers of helpers, in folders with spaces, in a CommonJS folder", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { text } from "./my lib/a.js";\n${image}SH(text);\n`,
      "my lib/a.ts": `export { text } from "../b";\n`,
      "b.ts": "export const text = 'deep' as const;\n",
      "package.json": '{"type":"commonjs"}',
    });
    expectPlanned(result, "SH deep");
  });

  test("a .js helper that is there comes before a .ts of the same name", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { text } from "./helper.js";\n${image}SH(text);\n`,
      "helper.js": "export const text = 'js';\n",
      "helper.ts": "export const text = 'ts';\n",
      "package.json": '{"type":"module"}',
    });
    expectPlanned(result, "SH js");
  });

  test("keywords called by a helper count, each with the helper's line", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { twice } from "./helper";\n${image}twice("true");\n`,
      "helper.ts": `import { SH, COPY } from "nspawn/build";\nexport function twice(text: string): void {\n  SH(text);\n  SH(text);\n  COPY("relative");\n}\n`,
    });
    expect(problems(result)).toEqual([expect.stringMatching(/^helper\.ts:5: error: COPY: expected an absolute path, got "relative"/)]);
  });

  test("top-level await, node modules, loops", async () => {
    const source = `${head}import { readFile } from "node:fs/promises";\n${image}const list = (await readFile(new URL("./list", import.meta.url), "utf8")).trim().split("\\n");\nfor (const item of list) SH(item);\nawait new Promise((done) => setTimeout(done, 5));\nSH("last");\n`;
    expectPlanned(await plan("build.ts", { "build.ts": source, list: "one\ntwo\n" }), "SH one", "SH two", "SH last");
  });

  test("syntax that only TypeScript has: enums, namespaces, parameter properties, types", async () => {
    const source = `${head}import type { Settings } from "nspawn/build";
enum Level { Low = "low" }
namespace Names { export const web = "web"; }
class Box { constructor(readonly text: string) {} }
abstract class Shape<in out T> { declare readonly kind: T; }
const settings = { Hostname: Names.web } satisfies Settings;
${image}WITH(settings);
SH(new Box(Level.Low).text as string);
SH(<string>"cast");
export type { Shape };
`;
    expectPlanned(await plan("build.ts", { "build.ts": source }), "SH low", "SH cast", "Hostname=web");
  });

  test("a type that is imported from a helper without 'type'", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { Kind, text } from "./helper";\nconst kind: Kind = text;\n${image}SH(kind);\n`,
      "helper.ts": "export type Kind = string;\nexport const text: Kind = 'typed';\n",
    });
    expectPlanned(result, "SH typed");
  });

  test("a relative path from another folder", async () => {
    const at = tempFolder();
    writeFiles(at, { "web/build.ts": `${head}${image}COPY("/etc");\n`, "web/etc/motd": "", "other/x": "" });
    expectPlanned(await cli.run("nspawn-build", ["../web/build.ts", "--plan"], join(at, "other")), "COPY /etc → /etc");
    expectPlanned(await cli.run("nspawn-build", ["build.ts", "--plan"], join(at, "web")), "COPY /etc → /etc");
  });

  test("loading writes nothing", async () => {
    const at = tempFolder();
    writeFiles(at, { "build.ts": `${head}${image}SH("touch made");\nPUSH();\n` });
    await cli.run("nspawn-build", ["build.ts", "--plan"], at);
    expect(readdirSync(at)).toEqual(["build.ts"]);
  });
});

describe.concurrent("scripts that are wrong", () => {
  test("a script that throws is shown with its line", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}type A = {\n  readonly a: string;\n};\n${image}\nthrow new TypeError("on purpose" as string);\n`,
    });
    expect(result.code).toBe(2);
    expect(firstLine(result)).toBe("build.ts:7: error: TypeError: on purpose");
  });

  test("an error in a helper is shown with the helper's line", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { fail } from "./lib/helper";\n${image}fail();\n`,
      "lib/helper.ts":
        "interface A {\n  a: string;\n}\n\nexport function fail(): never {\n  throw new Error('deep' satisfies string);\n}\nexport type { A };\n",
    });
    expect(result.code).toBe(2);
    expect(firstLine(result)).toBe("lib/helper.ts:6: error: deep");
  });

  test("what is thrown need not be an Error", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}throw "text";\n` });
    expect(result.code).toBe(2);
    expect(firstLine(result)).toBe("build.ts:1: error: the script threw text");
  });

  test("a promise that is rejected is an error of the script", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}await Promise.reject(new Error("later"));\n` });
    expect(result.code).toBe(2);
    expect(firstLine(result)).toBe("build.ts:3: error: later");
  });

  test("a promise that nobody waits for and that is rejected fails the command", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}${image}async function f(): Promise<void> {\n  throw new Error("lost");\n}\nvoid f();\nawait new Promise((done) => setTimeout(done, 50));\n`,
    });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("lost");
  });

  test("a timer that goes on behind the script's end does not keep the command", async () => {
    expectPlanned(await plan("build.ts", { "build.ts": `${head}${image}setInterval(() => {}, 50);\nSH("true");\n` }), "SH true");
  });

  test.each([
    ["a keyword", 'setTimeout(() => SH("true"), 20)', /^build\.ts:3: error: /],
    ["an error", 'setTimeout(() => { throw new Error("late"); }, 20)', /^build\.ts:3: error: late/],
    [
      "process.exit",
      "setTimeout(() => process.exit(0), 20)",
      /^build\.ts:3: error: the script called process\.exit\(0\) behind its own end/,
    ],
  ])("%s behind the script's end, but before that of the command, is an error with its line", async (_, code, message) => {
    // The plan takes longer than the timer: it looks at an image that a server is slow to tell about.
    const server = createServer((_request, response) => setTimeout(() => response.end(), 3000));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const result = await plan("build.ts", {
      "build.ts": `${head}${image}${code};\nPULL("http://127.0.0.1:${port}/a.tar.gz");\n`,
    });
    server.closeAllConnections();
    server.close();
    expect(result.stderr).toMatch(message);
    expect(result.code).not.toBe(0);
  });

  test("an await that never ends is an error, not a silent success", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}await new Promise(() => {});\nSH("true");\n` });
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toBe("");
  });

  test.each([
    ["build.ts", "const a: string = ;\n"],
    ["build.ts", "let let = 1;\n"],
    ["build.mjs", "const a = ;\n"],
    ["build.js", "for (\n"],
  ])("a syntax error in %s is shown with its line: %j", async (name, wrong) => {
    const result = await plan(name, { [name]: `${head}\n${wrong}` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(new RegExp(`^${name.replace(".", "\\.")}:[345]: error: `));
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  test("a syntax error in a helper is shown with the helper's line, whatever its folder is called", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}import "./my lib/helper";\n`, "my lib/helper.ts": "\n\nconst = 1;\n" });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^my lib\/helper\.ts:3: error: /);
  });

  test("a JavaScript helper with a syntax error is shown with its line", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}import "./helper.mjs";\n`, "helper.mjs": "\nconst = 1;\n" });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^helper\.mjs:2: error: /);
  });

  test("a module that is not there is named, with the script's place", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}import { x } from "./missing";\n${image}SH(x);\n` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:\d+: error: .*missing/);
    expect(result.stderr).not.toMatch(/defect of nspawn/);
  });

  test("a package that is not there is named", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}import "no-such-package";\n${image}` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:\d+: error: .*no-such-package/);
  });

  test("a keyword that is not there is named", async () => {
    const result = await plan("build.ts", { "build.ts": `import { IMAGES } from "nspawn/build";\nIMAGES("x");\n` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:\d+: error: .*IMAGES/);
  });

  test("setup's keywords in a build script", async () => {
    const result = await plan("build.ts", { "build.ts": `import { MACHINE } from "nspawn/setup";\n\nMACHINE("web");\n` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(
      /^build\.ts:3: error: this is a build script, but MACHINE was imported from "nspawn\/setup"\n.*\n {2}hint: MACHINE is a keyword of setup scripts: run this one with nspawn-setup/,
    );
  });

  test("no IMAGE", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}PUSH();\n` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:1: error: there is no IMAGE\n.*\n {2}hint: /);
  });

  test("an empty script", async () => {
    const result = await plan("build.ts", { "build.ts": "" });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:1: error: there is no IMAGE/);
  });

  test("two IMAGEs are shown with both lines", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}\n${image}` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.ts:4: error: IMAGE was already declared on line 2\n/);
  });

  test("an unknown setting is shown with the nearest one", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}WITH({\n  Boot: true,\n  Enviroment: {},\n});\n` });
    expect(result.code).toBe(2);
    expect(firstLine(result)).toBe("build.ts:5: error: WITH: there is no setting Enviroment");
    expect(result.stderr).toMatch(/\n {2}hint: did you mean Environment\?/);
  });

  test("a wrong type, a relative target and a missing source, together, in the order of lines", async () => {
    const source = `${head}${image}RUN("true");
COPY({ source: "etc", target: "opt" });

COPY("/gone");
WITH({ Boot: "maybe" });
IMAGE("x");
`;
    const result = await plan("build.ts", { "build.ts": source });
    expect(result.code).toBe(2);
    expect(problems(result)).toEqual([
      expect.stringMatching(/^build\.ts:3: error: RUN: expected/),
      expect.stringMatching(/^build\.ts:4: error: COPY: target: expected an absolute path, got "opt"/),
      expect.stringMatching(/^build\.ts:6: error: COPY: source .*gone is not there/),
      expect.stringMatching(/^build\.ts:7: error: WITH: Boot takes/),
      expect.stringMatching(/^build\.ts:8: error: IMAGE: "x" is no URL/),
    ]);
    expect(result.stdout).toBe("");
  });

  test("problems in a call of several lines are at the line of the wrong word", async () => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}PULL({\n  url: "https://h/a.tar.gz",\n  digest: "md5:x",\n});\n` });
    expect(problems(result)).toEqual([expect.stringMatching(/^build\.ts:5: error: PULL: digest: /)]);
  });

  test("a keyword in a callback has the line that it is written on", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}${image}type T = string;\n["a", "b"].forEach((name: T) => {\n  COPY(name);\n});\n`,
    });
    expect(problems(result)).toHaveLength(2);
    for (const line of problems(result)) expect(line).toMatch(/^build\.ts:5: /);
  });

  test("a keyword called after an await has its line", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}${image}const later = async (): Promise<void> => {\n  await null;\n  COPY("x");\n};\nawait later();\n`,
    });
    expect(problems(result)).toEqual([expect.stringMatching(/^build\.ts:5: /)]);
  });
});

describe.concurrent("setup scripts", () => {
  const setup = `import { IMAGE, MACHINE, WITH, SH } from "nspawn/setup";\nIMAGE("https://h/web.tar.zst");\n`;

  test("a setup script shows its plan", async () => {
    const at = tempFolder();
    const image = makeImage(join(at, "web.tar.gz"), { command: ["/init"] });
    writeFiles(at, {
      "setup.ts": `#!/usr/bin/env nspawn-setup\n${setup.replace("https://h/web.tar.zst", image)}MACHINE({ name: "web" });\nWITH({ Register: true });\nSH("true");\n`,
    });
    expectPlanned(
      await cli.run("nspawn-setup", ["setup.ts", "--plan"], at),
      "update machine web",
      "image and layers below it",
      "Register=yes",
    );
  });

  test("a build script that is given to nspawn-setup", async () => {
    const at = tempFolder();
    writeFiles(at, { "build.ts": `${head}${image}` });
    const result = await cli.run("nspawn-setup", ["build.ts", "--plan"], at);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(
      /^build\.ts:2: error: this is a setup script, but IMAGE was imported from "nspawn\/build"\n.*\n {2}hint: .*nspawn-build/,
    );
  });

  test("no MACHINE", async () => {
    const at = tempFolder();
    writeFiles(at, { "setup.ts": setup });
    const result = await cli.run("nspawn-setup", ["setup.ts", "--plan"], at);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^setup\.ts:1: error: there is no MACHINE/);
  });
});

describe.concurrent("calls of the commands", () => {
  test.each(["nspawn-build", "nspawn-setup"] as const)("%s --help prints its options and ends with 0", async (command) => {
    const { code, stdout, stderr } = await cli.run(command, ["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("--plan");
    expect(stdout).toContain(command);
    expect(stderr).toBe("");
  });

  test("--version prints the version of the package", async () => {
    const { version } = (await import("../../package.json", { with: { type: "json" } })).default;
    expect(await cli.run("nspawn-build", ["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test.each([[["build.ts", "--plann"]], [[]], [["a.ts", "b.ts"]], [["build.ts", "--quiet", "--verbose"]]])(
    "%j is a wrong call",
    async (args) => {
      const { code, stdout, stderr } = await cli.run("nspawn-build", args);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^nspawn-build: /);
    },
  );

  test("an unknown action is a wrong call that lists the actions", async () => {
    const at = tempFolder();
    writeFiles(at, { "setup.ts": `import { IMAGE, MACHINE } from "nspawn/setup";\nIMAGE("https://h/a.tar.gz");\nMACHINE("web");\n` });
    for (const more of [[], ["--plan"]]) {
      const { code, stderr } = await cli.run("nspawn-setup", ["setup.ts", "--action=explode", ...more], at);
      expect(stderr).toMatch(/explode/);
      expect(stderr).toMatch(/desure/);
      expect(code).toBe(2);
    }
  });

  test.each(["missing.ts", "missing/build.ts", "package.json/build.ts"])("the script %s is not there", async (path) => {
    const { code, stderr } = await cli.run("nspawn-build", [path, "--plan"]);
    expect(code).toBe(2);
    expect(stderr).toBe(`error: there is no script ${path}\n`);
  });

  test("a folder is no script", async () => {
    const at = tempFolder();
    mkdirSync(join(at, "web"));
    const { code, stderr } = await cli.run("nspawn-build", ["web", "--plan"], at);
    expect(code).toBe(2);
    expect(stderr).toMatch(/web/);
    expect(stderr).not.toMatch(/defect of nspawn/);
  });

  test("a file of another kind is told to be no script", async () => {
    const at = tempFolder();
    writeFiles(at, { "build.txt": "hello world\n" });
    const { code, stderr } = await cli.run("nspawn-build", [relative(at, join(at, "build.txt")), "--plan"], at);
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/defect of nspawn/);
  });
});

test("a keyword that is called after the script has ended is told with its line, not lost", async () => {
  const lines = ["async function main() {", "  await new Promise((done) => setTimeout(done, 20));", '  SH("true");', "}", "main();", ""];
  const { code, stderr } = await plan("build.ts", { "build.ts": `${head}${image}${lines.join("\n")}` });
  expect(code).toBe(2);
  expect(stderr).toMatch(/build\.ts:5: error: SH was called after the script had ended\n.*\n {2}hint: await what calls it/);
});

describe.concurrent("scripts of odd shapes", () => {
  test("npm packages beside the script, of both kinds, and of CommonJS with a folder that says so", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import esm from "esm-package";\nimport { text } from "cjs-package";\nimport deep from "@scope/own/deep";\n${image}SH(esm + text + deep);\n`,
      "package.json": '{"type":"commonjs"}',
      "node_modules/esm-package/package.json": '{"type":"module","exports":"./index.js"}',
      "node_modules/esm-package/index.js": 'export default "esm ";\n',
      "node_modules/cjs-package/package.json": '{"main":"lib.js"}',
      "node_modules/cjs-package/lib.js": 'exports.text = "cjs " + require("./more.json").more;\n',
      "node_modules/cjs-package/more.json": '{"more":"json "}',
      "node_modules/@scope/own/package.json": '{"type":"module","exports":{"./deep":"./deep.mjs"}}',
      "node_modules/@scope/own/deep.mjs": 'export default "scoped";\n',
    });
    expectPlanned(result, "SH esm cjs json scoped");
  });

  test("JSON beside the script", async () => {
    const source = `${head}import data from "./data.json" with { type: "json" };\n${image}SH(data.text);\n`;
    expectPlanned(await plan("build.ts", { "build.ts": source, "data.json": '{"text":"from json"}' }), "SH from json");
  });

  test.each([
    ["line ends of Windows", (text: string) => text.replaceAll("\n", "\r\n")],
    ["a byte order mark", (text: string) => `\ufeff${text}`],
    ["both", (text: string) => `\ufeff${text.replaceAll("\n", "\r\n")}`],
  ])("%s change no line", async (_, shape) => {
    const at = `#!/usr/bin/env nspawn-build\n${head}${image}`;
    expectPlanned(await plan("build.ts", { "build.ts": shape(`${at}SH("true");\n`) }), "SH true");
    expect((await plan("build.ts", { "build.ts": shape(`${at}\nthrow new Error("here");\n`) })).stderr).toMatch(
      /^build\.ts:5: error: here/,
    );
  });

  test.each(["build", "build.cts", "build.tsx"])("a script called %s is a module as well", async (name) => {
    expectPlanned(await plan(name, { [name]: `${head}const text: string = "true";\n${image}SH(text);\n` }), "SH true");
  });

  test("a CommonJS script is told that it has to import", async () => {
    const result = await plan("build.cjs", { "build.cjs": '\nconst { IMAGE } = require("nspawn/build");\nIMAGE("https://h/a.tar.gz");\n' });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/^build\.cjs:2: error: require is not defined\n.*\n.*\n {2}hint: scripts are ES modules: import /);
  });

  test.each([
    ["a decorator of a class", "@plain\nclass A {}\n", "decorators are"],
    ["a decorator of a method", "class A {\n  @plain m() {}\n}\n", "decorators are"],
    ["a decorator of a parameter", "class A {\n  m(@plain x: string) {}\n}\n", "decorators are"],
  ])("%s is refused with its line", async (_, source, message) => {
    const result = await plan("build.ts", { "build.ts": `${head}${image}function plain(): void {}\n${source}` });
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(new RegExp(`^build\\.ts:[45]: error: ${message} not supported in scripts`));
  });

  test("a very large script", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `const v${index}: string = "${"x".repeat(50)}";`).join("\n");
    expectPlanned(await plan("build.ts", { "build.ts": `${head}${image}${lines}\nSH("after " + v19999.length);\n` }), "SH after 50");
  });

  test("a script may print", async () => {
    const { code, stdout, stderr } = await plan("build.ts", {
      "build.ts": `${head}console.log("to stdout");\nconsole.error("to stderr");\n${image}SH("true");\n`,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^to stdout\n/);
    expect(stderr).toBe("to stderr\n");
  });
});

describe.concurrent("modules of a script", () => {
  test("that import each other are linked, and there is one of each, whoever imports it by whatever name", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { even } from "./even.ts";\nimport { count } from "./lib/../count";\nimport "./again.mjs";\n${image}SH(\`\${even(4)} \${count()}\`);\n`,
      "even.ts": 'import { odd } from "./odd";\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);\n',
      "odd.ts": 'import { even } from "./even.js";\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1);\n',
      "again.mjs": 'import { count } from "./count.js";\ncount();\n',
      "count.ts": "let n = 0;\nexport const count = (): number => ++n;\n",
    });
    expectPlanned(result, "SH true 2");
  });

  test("are loaded at run time, too, side by side, with what they import", async () => {
    const source = `${head}const names = ["one", "two", "one"];
const all = await Promise.all(names.map(async (name) => (await import(\`./\${name}.ts\`)).text as string));
const { default: data } = await import("./data.json", { with: { type: "json" } });
const { basename } = await import("node:path");
${image}SH([...all, data.text, basename("/a/b")].join(" "));
await import("./missing.ts").catch((error: Error) => SH(error.message));
`;
    const result = await plan("build.ts", {
      "build.ts": source,
      "one.ts": 'import { shared } from "./shared";\nawait null;\nexport const text = `1${shared}`;\n',
      "two.ts": 'import { shared } from "./shared";\nexport const text = `2${shared}`;\n',
      "shared.ts": 'await new Promise((done) => setTimeout(done, 5));\nexport const shared = "s";\n',
      "data.json": '{"text":"json"}',
    });
    expectPlanned(result, "SH 1s 2s 1s json b");
    expect(result.stdout).toMatch(/SH \S*build\.ts:8:14: cannot import \S*missing\.ts\S*: there is no/);
  });

  test("that are still at work are waited for by whoever imports them meanwhile", async () => {
    const wait = "await new Promise((done) => setTimeout(done, 100));";
    const result = await plan("build.ts", {
      "build.ts": `${head}const first = import("./slow.ts");\nawait new Promise((done) => setTimeout(done, 30));\n${image}SH((await import("./slow.ts")).text);\nawait first;\n`,
      "slow.ts": `${wait}\nexport const text = "done";\n`,
    });
    expectPlanned(result, "SH done");
  });

  test("know where they are", async () => {
    const resolved = ["./x", "fs", "some-package"].map((specifier) => `import.meta.resolve("${specifier}")`).join(", ");
    const source = `export const meta = [import.meta.url, import.meta.dirname, import.meta.filename, ${resolved}];\n`;
    const { stdout, at } = await plan("build.ts", {
      "build.ts": `${head}import { meta } from "./a b/helper";\n${image}console.log(JSON.stringify(meta));\n`,
      "a b/helper.ts": source,
      "node_modules/some-package/package.json": '{"main":"lib.js"}',
      "node_modules/some-package/lib.js": "",
    });
    const found = [`file://${at}/a%20b/x`, "node:fs", `file://${at}/node_modules/some-package/lib.js`];
    const expected = [`file://${at}/a%20b/helper.ts`, `${at}/a b`, `${at}/a b/helper.ts`, ...found];
    expect(stdout.split("\n")[0]).toBe(JSON.stringify(expected));
  });

  test("may be JavaScript that is a module by its package or by what it says, or CommonJS", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import a from "./esm/a.js";\nimport { b } from "./b.js";\nimport c from "./c.cjs";\nimport { d } from "./d.js";\n${image}SH(a + b + c.text + d);\n`,
      "esm/package.json": '{"type":"module"}',
      "esm/a.js": 'export default "a";\n',
      "b.js": 'import { text } from "./b.ts";\nexport const b = text;\n',
      "b.ts": 'export const text: string = "b";\n',
      "c.cjs": 'exports.text = "c";\n',
      "d.js": 'exports.d = "d";\n',
    });
    expectPlanned(result, "SH abcd");
  });

  test("a package gets our keywords, and TypeScript of its own is compiled", async () => {
    const result = await plan("build.ts", {
      "build.ts": `${head}import { twice } from "shared-steps";\n${image}twice("true");\nCOPY("relative");\n`,
      "node_modules/shared-steps/package.json": '{"type":"module","exports":"./index.ts"}',
      "node_modules/shared-steps/index.ts":
        'import { SH } from "nspawn/build";\nexport function twice(text: string): void {\n  SH(text);\n  SH(text);\n}\n',
    });
    expect(problems(result)).toEqual([expect.stringMatching(/^build\.ts:5: error: COPY: expected an absolute path/)]);
    expect(result.stderr).not.toContain("outside of");
  });

  test("an error in one names its lines in all of the stack", async () => {
    const { stderr } = await plan("build.ts", {
      "build.ts": `${head}import { fail } from "./helper";\ninterface A {\n  a: string;\n}\n${image}try {\n  fail();\n} catch (error) {\n  console.error((error as Error).stack);\n}\n`,
      "helper.ts": "interface B {\n  b: string;\n}\nexport function fail(): never {\n  throw new Error('deep');\n}\nexport type { B };\n",
    });
    expect(stderr).toMatch(/^Error: deep\n {4}at fail \(file:.*helper\.ts:5:9\)\n {4}at file:.*build\.ts:8:3\n/);
  });

  test("a name that one does not have is shown where it is imported, also among several", async () => {
    const { stderr } = await plan("build.ts", {
      "build.ts": `${head}import { a } from "./a";\n${image}SH(a);\n`,
      "a.ts": 'import { b } from "./c";\nimport { d } from "./c";\nexport const a = b + d;\n',
      "c.ts": 'export const b = "b";\n',
    });
    expect(stderr).toMatch(/^a\.ts:2: error: "\.\/c" has no d\n/);
  });
});

describe.concurrent("scripts that Node loads itself, since it was started by hand", () => {
  const byHand = (args: readonly string[], cwd: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(cli.dist, "cli/nspawn-build.cjs"), ...args], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: "" },
      encoding: "utf8",
    });

  test("do the same", () => {
    const at = tempFolder();
    writeFiles(at, {
      "build.ts": `${head}import { text } from "./helper";\nimport esm from "esm-package";\n${image}SH(text + esm);\n`,
      "helper.ts": "export const text: string = 'from the helper of ';\n",
      "node_modules/esm-package/package.json": '{"type":"module","exports":"./index.js"}',
      "node_modules/esm-package/index.js": 'export default "a package";\n',
    });
    const { status, stdout, stderr } = byHand(["build.ts", "--plan"], at);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("SH from the helper of a package");
  });

  test.each([
    ['throw new Error("here");', /^build\.ts:6: error: here\n/],
    ['COPY("relative");', /^build\.ts:6: error: COPY: expected an absolute path/],
    ["const a = ;", /^build\.ts:6: error: Unexpected token/],
    ['import { x } from "./helper";\nSH(x);', /^build\.ts:6: error: "\.\/helper" has no x\n/],
    ['import "./missing";', /^build\.ts:6: error: cannot import "\.\/missing": /],
  ])("are told of by their lines: %s", (line, message) => {
    const at = tempFolder();
    writeFiles(at, { "build.ts": `${head}interface A {\n  a: string;\n}\n${image}${line}\n`, "helper.ts": "export const y = 1;\n" });
    const { status, stderr } = byHand(["build.ts", "--plan"], at);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});

describe.concurrent("the word that is wrong", () => {
  const told = async (source: string, name = "build.ts"): Promise<string> => (await plan(name, { [name]: source })).stderr;

  test.each([
    [`${head}const x = ;\n`, "   2 | const x = ;", "          ^", /Unexpected token/],
    [`${head}\nSHH("true");\n`, '   3 | SHH("true");', "^^^", /error: SHH is not defined\n[\s\S]*hint: did you mean SH\?/],
    ['import { IMAGE } from "nspawn/build";\nSH("true");\n', '   2 | SH("true");', "^^", /hint: import \{ SH \} from "nspawn\/build"/],
    [
      '// first\nimport {\n  IMAGE,\n  IMAG } from "nspawn/build";\nIMAG(IMAGE);\n',
      '   4 |   IMAG } from "nspawn/build";',
      "  ^^^^",
      /"nspawn\/build" has no IMAG\n[\s\S]*hint: did you mean IMAGE\?/,
    ],
    [
      'import { IMAGE, MACHINE } from "nspawn/build";\nMACHINE(IMAGE);\n',
      '   1 | import { IMAGE, MACHINE } from "nspawn/build";',
      "                ^^^^^^^",
      /hint: MACHINE is a keyword of setup scripts/,
    ],
    [
      '\nimport { x } from "nspawn";\nx();\n',
      '   2 | import { x } from "nspawn";',
      "                   ^^^^^^",
      /hint: the keywords come from "nspawn\/build" and "nspawn\/setup"/,
    ],
    [
      '\nimport { x } from "nspawn/built";\nx();\n',
      '   2 | import { x } from "nspawn/built";',
      "                   ^^^^^^^^^^^^",
      /cannot import "nspawn\/built": there is no such module/,
    ],
  ])("%j", async (source, quoted, carets, message) => {
    for (const name of ["build.ts", "build.mjs"]) {
      const stderr = await told(source, name);
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`${quoted}\n     | ${carets}\n`);
    }
  });

  test("a name that a helper does not have", async () => {
    const { stderr } = await plan("build.ts", {
      "build.ts": `${head}import { bb } from "./helper.mjs";\nbb();\n`,
      "helper.mjs": "export const b = 1;\n",
    });
    expect(stderr).toMatch(/^build\.ts:2: error: "\.\/helper\.mjs" has no bb\n {3}2 \| import \{ bb \}/);
  });

  test("a keyword of the other kind of script says how the script runs", async () => {
    const at = tempFolder();
    writeFiles(at, { "setup.ts": 'import { PULL } from "nspawn/build";\nPULL("https://h/a.tar.gz");\n' });
    const { stderr } = await cli.run("nspawn-setup", [join(at, "setup.ts"), "--plan"], at);
    expect(stderr).toContain("hint: PULL is a keyword of build scripts: run this one with nspawn-build");
  });
});

describe.concurrent("scripts with --json", () => {
  test("what a script prints, by whatever way, is events", async () => {
    const at = tempFolder();
    writeFiles(at, { "build.ts": `${head}console.log("one");\nprocess.stdout.write("two\\n");\n${image}SH("true");\n` });
    const { code, stdout } = await cli.run("nspawn-build", [join(at, "build.ts"), "--plan", "--json"], at);
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; text?: string });
    expect(events.filter(({ event }) => event === "output").map(({ text }) => text)).toEqual(["one", "two"]);
    expect(events.at(-1)?.event).toBe("done");
  });
});

describe.concurrent("scripts that end in odd ways", () => {
  test.each([
    ["an object", "{ a: 1 }", "the script threw { a: 1 }"],
    ["null", "null", "the script threw null"],
    ["an object without a prototype", "Object.create(null)", "the script threw [Object: null prototype] {}"],
    ["a symbol", 'Symbol("x")', "the script threw Symbol(x)"],
    ["an error without a stack", 'Object.assign(new Error("bare"), { stack: undefined })', "bare"],
  ])("one that throws %s", async (_, thrown, message) => {
    const { code, stderr } = await plan("build.ts", { "build.ts": `${head}throw ${thrown};\n` });
    expect(code).toBe(2);
    expect(stderr).toContain(`build.ts:1: error: ${message}\n`);
  });

  test.each([
    ["process.exit(0);", "process.exit(0)"],
    ["process.exit();", "process.exit()"],
    ["try { process.exit(7); } catch {}\nawait new Promise((done) => setTimeout(done, 2000));", "process.exit(7)"],
  ])("one that calls %j is told that nothing was done, with its line", async (source, call) => {
    const { code, stdout, stderr } = await plan("build.ts", { "build.ts": `${head}${image}${source}\n` });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(`build.ts:3: error: the script called ${call}: nothing was done\n`);
  });

  test.each([
    ["a rejection that nobody awaits", 'void Promise.reject(new Error("lost"));'],
    ["one before a long wait", 'void Promise.reject(new Error("lost")); await new Promise((done) => setTimeout(done, 20_000));'],
    ["an error in a timer", 'setTimeout(() => { throw new Error("lost"); }, 5); await new Promise((done) => setTimeout(done, 20_000));'],
  ])(
    "%s is an error of the script, with its line, at once",
    async (_, source) => {
      const { code, stderr } = await plan("build.ts", { "build.ts": `${head}${image}\n${source}\n` });
      expect(stderr).toContain("build.ts:4: error: lost\n");
      expect(code).toBe(2);
    },
    15_000,
  );

  test.each([
    ["a module", './missing"', "./missing"],
    ["a package", 'no-such-package"', "no-such-package"],
  ])("an import of %s that is not there is shown with its line", async (_, specifier, name) => {
    const { code, stderr } = await plan("build.ts", {
      "build.ts": `${head}type A = {\n  a: string;\n};\nimport x from "${specifier};\n${image}SH(x);\n`,
    });
    expect(code).toBe(2);
    expect(stderr).toContain(`build.ts:5: error: cannot import "${name}": `);
  });

  test.each([
    ["an endless loop", "console.log('ready');\nfor (;;);"],
    ["a wait", "console.log('ready');\nawait new Promise((done) => setTimeout(done, 60_000));"],
    ["an endless loop with a temporary folder", "TOOL.tempDir();\nconsole.log('ready');\nfor (;;);"],
  ])("Ctrl-C ends %s", async (_, source) => {
    const at = tempFolder();
    writeFiles(at, { "build.ts": `${head.replace("IMAGE,", "IMAGE, TOOL,")}${source}\n` });
    const child = spawn(join(cli.dist, "cli/nspawn-build.cjs"), ["build.ts", "--plan"], {
      cwd: at,
      env: { ...process.env, NODE_OPTIONS: "", TMPDIR: at },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<string | number | null>((done) => child.once("close", (code, signal) => done(signal ?? code)));
    await new Promise((ready) => child.stdout.once("data", ready));
    const started = performance.now();
    child.kill("SIGINT");
    expect([130, "SIGINT"]).toContain(await ended);
    // Neither of them would end by itself within a minute.
    expect(performance.now() - started).toBeLessThan(10_000);
    // What a signal leaves, the next one that makes such a folder removes.
    writeFileSync(join(at, "build.ts"), `${head.replace("IMAGE,", "IMAGE, TOOL,")}${image}TOOL.tempDir();\n`);
    const env = { ...process.env, NODE_OPTIONS: "", TMPDIR: at };
    const next = spawnSync(join(cli.dist, "cli/nspawn-build.cjs"), ["build.ts", "--plan"], {
      cwd: at,
      env,
      encoding: "utf8",
    });
    expect(next.status, next.stderr).toBe(0);
    expect(readdirSync(at)).toEqual(["build.ts"]);
  });
});
