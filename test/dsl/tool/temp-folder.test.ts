import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processName } from "../../../src/base/process-id.js";
import { compileCli } from "../../support/cli.js";
import { writeFiles } from "../../support/files.js";
import { makeTempFolder, removeFolder } from "../../support/temp.js";

let folder: string;
let dist: string;

beforeAll(() => {
  folder = makeTempFolder();
  ({ dist } = compileCli(folder));
});
afterAll(() => removeFolder(folder));

type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string };

/** Runs lines of a build script (`dir` is a folder of TOOL's with a file in it), gives how it ended and what is left in TMPDIR. */
async function run(
  name: string,
  lines: string,
  meanwhile: (child: ChildProcess, tmp: string) => Promise<void> = async () => undefined,
): Promise<Ended & { readonly left: readonly string[] }> {
  const at = join(folder, name);
  const tmp = join(at, "tmp");
  mkdirSync(tmp, { recursive: true });
  writeFiles(at, {
    "build.ts": `import { mkdirSync, writeFileSync } from "node:fs";
import { IMAGE, TOOL } from "nspawn/build";
IMAGE("https://images.example.org/web.tar.zst");
const dir: string = TOOL.tempDir();
mkdirSync(dir + "/deep/er", { recursive: true });
writeFileSync(dir + "/deep/er/file", "");
${lines}`,
  });
  const child = spawn(join(dist, "cli/nspawn-build.cjs"), ["build.ts", "--plan"], {
    cwd: at,
    env: { ...process.env, NODE_OPTIONS: "", TMPDIR: tmp },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<Pick<Ended, "code" | "signal">>((done) => child.once("close", (code, signal) => done({ code, signal })));
  const [stderr, how] = await Promise.all([text(child.stderr), ended, meanwhile(child, tmp)]);
  return { ...how, stderr, left: readdirSync(tmp) };
}

describe.concurrent("tempDir", () => {
  test("a folder for nobody else, another each time, that is there until the end", async () => {
    const lines = `import { statSync, readdirSync } from "node:fs";
const other = TOOL.tempDir();
if (other === dir || readdirSync(other).length > 0) throw new Error("not a new one");
if ((statSync(dir).mode & 0o777) !== 0o700) throw new Error("not private");
process.on("exit", () => console.error(dir));`;
    const { code, stderr, left } = await run("exit", lines);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/tmp\/nspawn-\d+-\d+-\w{6}\n$/);
    expect(left).toEqual([]);
  });

  test.each([
    ["an error", 'throw new Error("on purpose");', 2],
    ["process.exit", "process.exit(7);", 2],
    ["an await that never ends", "await new Promise(() => undefined);", 2],
    [
      "an error that nobody catches",
      'setTimeout(() => { throw new Error("later"); }, 10); await new Promise((done) => setTimeout(done, 500));',
      2,
    ],
  ])("it is gone after %s", async (name, lines, expected) => {
    const { code, left } = await run(name, lines);
    expect(code).toBe(expected);
    expect(left).toEqual([]);
  });

  test.each([
    ["SIGINT", "for (;;);"],
    ["SIGTERM", "for (;;);"],
    ["SIGINT", "await new Promise((done) => setTimeout(done, 30_000));"],
    ["SIGHUP", "await new Promise((done) => setTimeout(done, 30_000));"],
    ["SIGKILL", "for (;;);"],
  ] as const)("%s ends the command in %s; the next one that makes a folder removes what is left", async (signal, lines) => {
    const name = `${signal}-${lines.length}`;
    const { signal: by, left } = await run(name, lines, async (child, tmp) => {
      await until(() => readdirSync(tmp).some((entry) => existsSync(join(tmp, entry, "deep/er/file"))));
      child.kill(signal);
    });
    expect(by).toBe(signal);
    expect(left).toEqual([expect.stringMatching(/^nspawn-\d+-\d+-\w{6}$/)]);
    const next = await run(name, "");
    expect(next.code, next.stderr).toBe(0);
    expect(next.left).toEqual([]);
  });

  test("of others, only folders of dead processes of the same user are removed", async () => {
    const tmp = join(folder, "sweep/tmp");
    const dead = `${deadProcess()}-aB3xyz`;
    const names = {
      mine: `nspawn-${processName()}-aB3xyz`,
      notOurs: `nspawn-${dead}-more`,
      old: "nspawn-aB3xyz",
      link: `nspawn-${dead.replace("aB3", "Lnk")}`,
      file: `nspawn-${dead.replace("aB3", "Fil")}`,
      otherUser: `nspawn-${dead.replace("aB3", "Usr")}`,
    };
    for (const name of [`nspawn-${dead}`, names.mine, names.notOurs, names.old, names.otherUser, "target"]) {
      mkdirSync(join(tmp, name), { recursive: true });
      writeFileSync(join(tmp, name, "file"), "");
    }
    symlinkSync("target", join(tmp, names.link));
    writeFileSync(join(tmp, names.file), "");
    chownSync(join(tmp, names.otherUser), 65534, 65534);
    const { code, stderr, left } = await run("sweep", "");
    expect(code, stderr).toBe(0);
    expect(left.toSorted()).toEqual([...Object.values(names), "target"].toSorted());
    expect(existsSync(join(tmp, "target/file"))).toBe(true);
  });

  test("who takes the signal decides: the folder stays until the end", async () => {
    const lines = `import { existsSync } from "node:fs";
await new Promise((done) => { process.once("SIGINT", done); setTimeout(() => undefined, 30_000).unref(); writeFileSync(dir + "/ready", ""); setInterval(() => undefined, 1000).unref(); globalThis.keep = setTimeout(done, 20_000); });
clearTimeout(globalThis.keep);
if (!existsSync(dir)) throw new Error("gone too early");`;
    const { code, stderr, left } = await run("taken", lines, async (child, tmp) => {
      await until(() => readdirSync(tmp).some((name) => existsSync(join(tmp, name, "ready"))));
      child.kill("SIGINT");
    });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });
});

/** The name of a process that is no more. */
function deadProcess(): string {
  const { pid } = spawnSync("true");
  return `${pid}-1`;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !isSo(); i++) await new Promise((done) => setTimeout(done, 25));
  expect(isSo()).toBe(true);
}
