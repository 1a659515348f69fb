import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { screenOf } from "../support/screen.js";
import { Lab, nspawnBuild, sleep } from "./support/build.js";

const lab = new Lab();
const image = `IMAGE("${lab.url("x.tar.zst")}");`;
const busybox = `PULL("${lab.busybox}");`;
const columns = 200;
let server: Server;
let origin: string;

beforeAll(async () => {
  const archive = readFileSync(lab.busybox.slice("file://".length));
  server = createServer(async (request, response) => {
    response.writeHead(200, { "content-length": String(archive.length) });
    if (request.method === "HEAD") return void response.end();
    for (let part = 0; part < 10; part++) {
      response.write(archive.subarray((part * archive.length) / 10, ((part + 1) * archive.length) / 10));
      await sleep(100);
    }
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  lab.remove();
});

type OnTerminal = { readonly code: number | null; readonly raw: string };

/** Runs nspawn-build on a pseudo terminal of its own; both outputs go there, as for a user. */
async function onTerminal(
  lines: string,
  {
    options = "",
    env = {},
    type,
  }: { options?: string; env?: Readonly<Record<string, string>>; type?: { after: string; keys: string } } = {},
): Promise<OnTerminal> {
  const command = `stty cols ${columns} rows 24 -echo; exec ${nspawnBuild} ${options} ${lab.script(lines)}`;
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    env: { PATH: process.env.PATH, HOME: "/root", LANG: "C.UTF-8", TERM: "xterm-256color", NSPAWN_STORAGE_ROOT: lab.store, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((done, fail) => child.once("close", done).once("error", fail));
  let raw = "";
  let typed = false;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    raw += chunk;
    if (typed || type === undefined || !raw.includes(type.after)) return;
    typed = true;
    child.stdin.write(type.keys);
  });
  const code = await ended;
  return { code, raw };
}

describe("on a terminal", () => {
  test("steps that are done stay as lines, their output is shown while they run", async () => {
    const started = performance.now();
    const { code, raw } = await onTerminal(
      `${image} ${busybox} SH("for n in 1 2 3 4 5 6 7 8 9; do echo this is line $n; sleep 0.15; done"); RUN(["true"]); PUSH();`,
    );
    const whole = (performance.now() - started) / 1000;
    expect(code, raw).toBe(0);
    const screen = screenOf(raw, columns);
    const seconds = Number(/\((\d+\.\d\d) s\)$/.exec(screen[1] ?? "")?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(1.35);
    expect(seconds).toBeLessThan(whole);
    expect(screen[0]).toMatch(/^✓ (pulled|have) file:\/\/.*rootfs\.tar\.gz sha256:/);
    expect(screen.slice(1)).toEqual([
      expect.stringMatching(/^✓ SH for n in .* \([1-9]\d*\.\d\d s\)$/),
      expect.stringMatching(/^✓ RUN true \(\d\.\d\d s\)$/),
      expect.stringMatching(/^✓ pushed file:\/\/.*x\.tar\.zst sha256:/),
    ]);
    expect(raw).toContain("│ this is line 9");
    expect(raw).toMatch(/SH for n in.* 1 s/);
  });

  test("a program can neither move the cursor nor set the title", async () => {
    const evil =
      "printf '\\\\033[2J\\\\033[?25l\\\\033]0;title\\\\007\\\\033[31mred\\\\ttab\\\\007\\\\b 10%%\\\\r20%% \\\\302\\\\233H\\\\n'; sleep 0.5";
    for (const options of ["", "--verbose"]) {
      const { code, raw } = await onTerminal(`${image} ${busybox} SH("${evil}"); SH("sleep 0.3; ${evil}; exit 3"); PUSH();`, { options });
      expect(code, raw).toBe(1);
      // Throws for whatever it does not know.
      const screen = screenOf(raw, Number.POSITIVE_INFINITY);
      expect(screen.join("\n")).toContain("exit code 3");
      expect(raw).toContain("20%");
    }
  });

  test("long and wide lines are cut to the terminal", async () => {
    const { code, raw } = await onTerminal(
      `${image} ${busybox} SH("i=0; while [ $i -lt 40 ]; do printf '日本語🚀 abc '; i=$((i+1)); done; echo; sleep 0.4"); PUSH();`,
    );
    expect(code, raw).toBe(0);
    const shown = raw.split("\n").filter((line) => line.includes("│ 日本語"));
    expect(shown.length).toBeGreaterThan(0);
    for (const line of shown) expect(line).toContain("…");
  });

  test("downloads are shown with bytes, share, rate and time left", async () => {
    const { code, raw } = await onTerminal(`${image} PULL("${origin}/a.tar.gz"); PULL("${origin}/b.tar.gz"); PUSH();`);
    expect(code, raw).toBe(0);
    expect(raw).toMatch(/↓\S* pull http:\S+a\.tar\.gz {2}\d+\.\d kB of 1\.0 MB {2}\d+ % {2}\d+\.\d [kM]B\/s {2}\d+ s left/);
    expect(raw).toMatch(/a\.tar\.gz {2}.* left\r?\n.*↓\S* pull http:\S+b\.tar\.gz/);
    expect(screenOf(raw, columns).filter((line) => line.startsWith("✓ pulled"))).toHaveLength(2);
  });

  test("a step that fails is marked, and the error shows the script's line", async () => {
    const { code, raw } = await onTerminal(`${image}\n${busybox}\nSH("echo last words; exit 7");\nPUSH();`);
    expect(code).toBe(1);
    const screen = screenOf(raw, columns);
    expect(screen.find((line) => line.startsWith("✗"))).toMatch(/^✗ SH echo last words; exit 7 \(\d\.\d\d s\)$/);
    expect(screen.join("\n")).toMatch(/build\.ts:4: error: SH .*exit code 7\n {3}4 \| SH\("echo last words; exit 7"\);\n/);
    expect(screen).toContain("  | last words");
  });

  test("Ctrl-C leaves no drawing and a visible cursor", async () => {
    const { code, raw } = await onTerminal(`${image} ${busybox} SH("echo it runs; sleep 60"); PUSH();`, {
      type: { after: "it runs\x1b", keys: "\x03" },
    });
    expect(code).toBe(130);
    const screen = screenOf(raw, columns);
    expect(screen.at(-1)).toBe("interrupted");
    expect(screen.join("\n")).not.toContain("│ it runs");
    expect(raw).not.toContain("\x1b[?25l");
    expect(lab.inProgress()).toEqual([]);
  });

  test("NO_COLOR, --quiet, --json and a terminal that can do nothing are respected", async () => {
    const build = `${image} ${busybox} SH("echo here; sleep 0.3", { cache: false }); PUSH();`;
    const plain = await onTerminal(build, { env: { NO_COLOR: "1" } });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(plain.raw).not.toMatch(/\x1b\[[0-9;]*m/);
    expect(plain.raw).toContain("✓ SH echo here");
    expect((await onTerminal(build, { options: "--quiet" })).raw).toBe("");
    const dumb = await onTerminal(build, { env: { TERM: "dumb" } });
    expect(dumb.raw).not.toContain("\x1b");
    expect(dumb.raw).toContain("  │ here");
    const json = await onTerminal(build, { options: "--json" });
    for (const line of json.raw.trim().split(/\r\n/)) expect(JSON.parse(line)).toHaveProperty("event");
  });
});

describe("where there is no terminal", () => {
  test("lines hold no escape sequences, unless FORCE_COLOR asks for colours", async () => {
    const build = `${image} ${busybox} SH("printf '\\\\033[31mred\\\\n'"); PUSH();`;
    const plain = await lab.build(build);
    expect(plain.stdout + plain.stderr).not.toContain("\x1b");
    expect(plain.output).toEqual(["red"]);
    const forced = await lab.build(build, { env: { FORCE_COLOR: "1" } });
    expect(forced.stdout).toContain("\x1b[1mSH");
  });

  test("lines have the format of the configuration", async () => {
    const ended = await lab.build(`${image} ${busybox} SH("echo here"); PUSH();`, {
      env: { NSPAWN_LOGGING_FORMAT: "%(asctime)s %(levelname)-6s %(message)s", NSPAWN_LOGGING_DATEFMT: "%Y" },
    });
    expect(ended.stdout).toMatch(/^20\d\d INFO {3}SH echo here$/m);
    for (const line of ended.stdout.trim().split("\n")) expect(line).toMatch(/^20\d\d INFO {3}/);
  });
});

describe("--json", () => {
  test("tells all of a build on standard output, and nothing else", async () => {
    const build = `console.log("from the script"); ${image} PULL("${origin}/json.tar.gz"); SH("echo out; echo err >&2"); PUSH();`;
    const ended = await lab.build(build, { options: ["--json"] });
    expect(ended.stderr).toBe("");
    const events = ended.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; text?: string; bytes?: number });
    const kinds = events.map(({ event }) => event).filter((kind, index, all) => kind !== all[index - 1]);
    expect(kinds).toEqual(["output", "begin", "transfer", "pulled", "step-begin", "output", "step-end", "begin", "pushed", "done"]);
    expect(
      events
        .filter(({ event }) => event === "output")
        .map(({ text: line }) => line)
        .sort(),
    ).toEqual(["err", "from the script", "out"]);
    expect(events.filter(({ event }) => event === "transfer").length).toBeGreaterThan(3);
  });

  test("tells each problem of a script and of the call, with exit code 2", async () => {
    const ended = await lab.run(`${image}\nWITH({ Boott: true });\nSH(7);`, { options: ["--json"] });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toBe("");
    const lines = ended.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ event, line }) => [event, line])).toEqual([
      ["problem", 3],
      ["problem", 4],
      ["error", undefined],
    ]);
    const call = await lab.run(`${image}`, { options: ["--json", "--no-such-option"] });
    expect(call.stderr).toBe("");
    expect(JSON.parse(call.stdout)).toMatchObject({ event: "error", exit: 2, message: expect.stringContaining("--no-such-option") });
  });
});

test("--completion needs no script", async () => {
  const child = spawn(nspawnBuild, ["--completion", "bash"], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await text(child.stdout)).toContain("complete -F _nspawn_build nspawn-build build.ts build.mts build.js build.mjs");
});
