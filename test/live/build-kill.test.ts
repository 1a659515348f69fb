import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { tries } from "../support/tries.js";
import { type Ended, Lab, namesIn, type Running, runProgram, Sandbox, sleep, until } from "./support/build.js";
import { Pace } from "./support/kill.js";

const lab = new Lab();
/** Pulled and pushed in about half a second each, so that a kill can come in the middle. */
const large = lab.archive("large.tar.gz");
let sandbox: Sandbox;
let within: readonly string[];

beforeEach(async () => {
  sandbox = await Sandbox.open();
  within = sandbox.within;
});
// What a failed test has left ends with its sandbox.
afterEach(() => sandbox.close());

beforeAll(async () => {
  const folder = join(lab.folder, "large");
  await runProgram(["sh", "-ec", 'mkdir "$1"; tar -C "$1" -xzf "$2"', "sh", folder, lab.busybox.slice("file://".length)]);
  writeFileSync(join(folder, "random"), randomBytes(12_000_000));
  for (let i = 0; i < 1000; i++) writeFileSync(join(folder, "root", `file-${i}`), `${i}\n`);
  await runProgram(["tar", "-C", folder, "--use-compress-program=pigz", "-cf", large, "."]);
});
afterAll(() => lab.remove());

const slow = lab.script(
  `IMAGE("${lab.url("slow.tar.zst")}"); PULL("file://${large}");
  SH("cat /random /random > /copy; sleep 0.1"); COPY("/files"); SH("rm -r /root; sleep 0.1; mkdir /root; echo x > /root/x"); RUN(["sleep", "0.1"]); PUSH();`,
  Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`files/${i}`, `${i}`])),
);

/** What lies in the folder of images besides the ones that are meant to: nothing half, nothing hidden. */
function strayImages(): readonly string[] {
  return readdirSync(lab.images).filter((name) => !/^[a-z]+\.tar\.(gz|zst)$/.test(name));
}

/** Files of a store that were being written when their process died. */
function strayFiles(store: string): readonly string[] {
  if (!existsSync(store)) return [];
  return readdirSync(store, { recursive: true })
    .map(String)
    .filter((path) => !path.startsWith("extract/") || !path.slice("extract/".length).includes("/"))
    .filter((path) => path.includes(".nspawn-"));
}

describe("kill -9", () => {
  afterEach(() => rmSync(lab.archive("slow.tar.zst"), { force: true }));

  test("at any moment of a build leaves no process, mount or half image, and the next build succeeds and cleans up", async () => {
    const whole = performance.now();
    await lab.build(slow, { within, store: join(lab.folder, "store-whole") });
    const duration = performance.now() - whole;
    const paces = { fresh: new Pace(duration), pulled: new Pace(duration) };
    const names = await namesIn(lab.archive("slow.tar.zst"));
    expect(names).toContain("./root/x");
    const moments = tries(20);
    let killed = 0;
    for (let i = 0; i < moments; i++) {
      // Every other time, the pull is done already.
      const fresh = i % 2 === 0;
      // At first, there is but Node to kill.
      const moment = 0.1 + 0.9 * ((i + Math.random()) / moments);
      // One that came too late has shown how long it takes.
      for (let left = 3; left > 0; left--) {
        if (await killAt(moment, paces[fresh ? "fresh" : "pulled"], fresh, names)) {
          killed++;
          break;
        }
      }
      if (i % 5 === 4 || i === moments - 1) await expectWholeBuild(names);
    }
    expect(killed).toBeGreaterThan(moments / 2);
  });

  const store = join(lab.folder, "store-killed");

  /** @returns whether the build still ran at that moment */
  async function killAt(moment: number, pace: Pace, fresh: boolean, names: readonly string[]): Promise<boolean> {
    rmSync(lab.archive("slow.tar.zst"), { force: true });
    if (fresh) await runProgram(["rm", "-rf", store]);
    const { ended } = lab.start(slow, { within, store });
    const killed = await pace.interrupt(ended, moment, () => sandbox.signal("KILL", slow));
    expect(await sandbox.leftovers(2000)).toEqual([]);
    if (existsSync(lab.archive("slow.tar.zst"))) expect(await namesIn(lab.archive("slow.tar.zst"))).toEqual(names);
    return killed;
  }

  async function expectWholeBuild(names: readonly string[]): Promise<void> {
    await lab.build(slow, { within, store });
    expect(await namesIn(lab.archive("slow.tar.zst"))).toEqual(names);
    expect(lab.inProgress(store)).toEqual([]);
    expect(strayImages()).toEqual([]);
    expect(strayFiles(store)).toEqual([]);
  }

  test("in a command that goes on forever ends it, with all that it has started", async () => {
    const script = lab.script(
      `IMAGE("${lab.url("x.tar.zst")}"); PULL("${lab.busybox}"); SH("sleep 1111 & setsid sleep 2222 & echo started; sleep 3333");`,
    );
    const running = lab.start(script, { within });
    await until(() => sandbox.processes().some(({ command }) => command === "sleep 3333"));
    await sandbox.signal("KILL", script);
    expect((await running.ended).code).not.toBe(0);
    expect(await sandbox.leftovers(2000)).toEqual([]);
  });
});

describe("an interrupt", () => {
  async function interrupt(
    script: string,
    signal: "INT" | "TERM",
    ready: (running: Running) => boolean | Promise<boolean>,
  ): Promise<Ended & { readonly seconds: number }> {
    const running = lab.start(script, { within });
    await until(() => ready(running));
    const start = performance.now();
    expect(await sandbox.signal(signal, script)).toBe(true);
    const ended = await running.ended;
    return { ...ended, seconds: (performance.now() - start) / 1000 };
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await sandbox.leftovers()).toEqual([]);
    expect(lab.inProgress()).toEqual([]);
    expect(strayImages()).toEqual([]);
  }

  // What a test that failed has pushed is not taken for what the next one leaves.
  afterEach(() => {
    for (const name of ["x.tar.zst", "x.tar.xz"]) rmSync(lab.archive(name), { force: true });
  });

  const runs =
    (...words: readonly string[]) =>
    (): boolean =>
      sandbox.processes().some(({ command }) => words.some((word) => command.startsWith(word)));

  for (const signal of ["INT", "TERM"] as const) {
    test(`by SIG${signal} while a command runs ends the build within 2 seconds with exit code 130`, async () => {
      const script = lab.script(
        `IMAGE("${lab.url("x.tar.zst")}"); PULL("${lab.busybox}"); SH("trap '' INT TERM HUP; sleep 4444 & setsid sleep 5555 & sleep 6666; echo went on"); PUSH();`,
      );
      const ended = await interrupt(script, signal, runs("sleep 6666"));
      expect(ended.code, ended.stderr).toBe(130);
      expect(ended.seconds).toBeLessThan(2);
      expect(ended.stderr).toContain("interrupted");
      expect(ended.output).toEqual([]);
      expect(existsSync(lab.archive("x.tar.zst"))).toBe(false);
      await expectNothingLeft();
    });
  }

  test("during a pull", async () => {
    const script = lab.script(`IMAGE("${lab.url("x.tar.zst")}"); PULL("file://${large}"); RUN(["true"]); PUSH();`);
    const ended = await interrupt(script, "INT", runs("tar ", "/usr/bin/tar ", "/bin/tar "));
    expect(ended.code, ended.stderr).toBe(130);
    expect(ended.seconds).toBeLessThan(2);
    await expectNothingLeft();
    await lab.build(script);
  });

  test("during a push", async () => {
    const script = lab.script(
      `IMAGE("${lab.url("x.tar.xz")}"); PULL("file://${large}"); SH("cat /random /random /random /random /random /random > /a"); PUSH();`,
    );
    const ended = await interrupt(script, "INT", runs("xz ", "/usr/bin/xz ", "/bin/xz "));
    expect(ended.code, ended.stderr).toBe(130);
    expect(ended.seconds).toBeLessThan(2);
    expect(existsSync(lab.archive("x.tar.xz"))).toBe(false);
    await expectNothingLeft();
  });

  test("while it waits for another build", async () => {
    const url = `IMAGE("${lab.url("x.tar.zst")}"); PULL("${lab.busybox}");`;
    const holder = lab.script(`${url} SH("sleep 7777");`);
    const first = lab.start(holder, { within });
    await until(runs("sleep 7777"));
    const waiting = lab.start(lab.script(`${url} RUN(["true"]); // waits`), { within });
    let said = "";
    waiting.child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes("waiting"));
    const start = performance.now();
    await sandbox.signal("INT", waiting.script);
    expect((await waiting.ended).code).toBe(130);
    expect(performance.now() - start).toBeLessThan(2000);
    await sandbox.signal("INT", holder);
    expect((await first.ended).code).toBe(130);
    await expectNothingLeft();
  });

  for (const moment of [0.3, 4]) {
    test(`during BOOTSTRAP, ${moment} seconds after mmdebstrap has begun`, async () => {
      const bootstrap = 'BOOTSTRAP({ distribution: "debian", release: "bookworm", variant: "essential" });';
      const script = lab.script(`IMAGE("${lab.url("x.tar.zst")}"); ${bootstrap} PUSH();`);
      const ended = await interrupt(script, "INT", async () => {
        if (!sandbox.processes().some(({ command }) => command.includes("mmdebstrap"))) return false;
        await sleep(moment * 1000);
        return true;
      });
      expect(ended.code, ended.stderr).toBe(130);
      expect(ended.seconds).toBeLessThan(2);
      await expectNothingLeft();
    });
  }
});

describe("two builds at once", () => {
  const timed = (seconds: number): string => `cut -d ' ' -f 1 /proc/uptime; sleep ${seconds}; cut -d ' ' -f 1 /proc/uptime`;
  const overlap = (one: Ended, two: Ended): boolean => {
    const [[start = 0, end = 0], [otherStart = 0, otherEnd = 0]] = [one.output.map(Number), two.output.map(Number)];
    expect(start).toBeGreaterThan(0);
    expect(otherStart).toBeGreaterThan(0);
    return start < otherEnd && otherStart < end;
  };

  test("of one image both succeed, one after the other", async () => {
    const lines = `IMAGE("${lab.url("shared.tar.zst")}"); PULL("${lab.busybox}"); SH("${timed(1)}", { cache: false }); PUSH();`;
    const store = join(lab.folder, "store-shared");
    const [one, two] = await Promise.all([lab.run(lines, { store }), lab.run(lines, { store })]);
    expect([one.code, two.code], one.stderr + two.stderr).toEqual([0, 0]);
    const waited = [one, two].filter(({ stdout }) => /^waiting: .* builds this image$/m.test(stdout));
    expect(waited).toHaveLength(1);
    expect(overlap(one, two)).toBe(false);
    expect(await namesIn(lab.archive("shared.tar.zst"))).toEqual([".", "./nspawn-image.yaml"]);
    expect(lab.inProgress(store)).toEqual([]);
  });

  test("of different images on one new parent run side by side, and the parent is pulled once", async () => {
    const lines = (name: string): string =>
      `IMAGE("${lab.url(`${name}.tar.zst`)}"); PULL("file://${large}"); SH("${timed(3)}; echo ${name} > /${name}"); PUSH();`;
    const store = join(lab.folder, "store-two");
    const [one, two] = await Promise.all([lab.run(lines("one"), { store }), lab.run(lines("two"), { store })]);
    expect([one.code, two.code], one.stderr + two.stderr).toEqual([0, 0]);
    expect([one, two].filter(({ stdout }) => /^pulled /m.test(stdout))).toHaveLength(1);
    expect(overlap(one, two)).toBe(true);
    for (const name of ["one", "two"]) expect(await namesIn(lab.archive(`${name}.tar.zst`))).toContain(`./${name}`);
  });
});
