import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { sh } from "../support/tree.js";
import { longTest, sample, tries } from "../support/tries.js";
import { Lab } from "./support/build.js";
import { isPushed, Project, steps } from "./support/project.js";

const lab = new Lab();
afterAll(() => lab.remove());

const cached = (count: number): readonly string[] => Array.from({ length: count }, () => "cached");

const lines = [
  'COPY({ source: "/data", target: "/opt/data" });',
  'SH("cat /opt/data/a.txt > /one");',
  'CAST({ source: "/t", target: "/opt/t" }, { word: "hello" });',
  'RUN(["cp", "/opt/t/page.txt", "/two"]);',
];

test("an unchanged build does nothing again, and says what did a changed one", async () => {
  const project = new Project(lab, "why");
  const builds = async (...options: readonly string[]): Promise<readonly string[]> => steps(await project.build(options));
  const after = (line: number): string => `the step before it, at build.ts:${line}, was done again`;
  project.write(lines);
  const first = await project.build();
  expect([steps(first), isPushed(first)]).toEqual([Array.from({ length: 4 }, () => "no build of this image is known here"), true]);
  const second = await project.build();
  expect([steps(second), isPushed(second)]).toEqual([cached(4), false]);
  expect(isPushed(await project.build(["--force"]))).toBe(true);

  writeFileSync(join(project.folder, "data/sub/b.txt"), "bb");
  expect(await builds()).toEqual(["sub/b.txt: another content", after(3), after(3), after(3)]);
  chmodSync(join(project.folder, "data/a.txt"), 0o600);
  expect(await builds()).toEqual(["a.txt: mode 600, it was 644", after(3), after(3), after(3)]);
  sh(project.folder, "setfattr -n user.x -v 1 data/a.txt");
  expect((await builds())[0]).toBe("a.txt: other attributes");
  writeFileSync(join(project.folder, "part.txt"), "another part");
  expect(await builds()).toEqual(["cached", "cached", "page.txt: renders to something else", after(5)]);
  project.write(lines.map((line) => line.replace('"hello"', '"bye"')));
  expect(await builds()).toEqual(["cached", "cached", "variable word is another", after(5)]);
  project.write([...lines, 'WITH({ Environment: { A: "1" } });']);
  expect(await builds()).toEqual(["cached", "Environment A is new", "variable word is another", "Environment A is new"]);
  expect(steps(await project.build(["--config", "[build]shell_invoke=sh\n -e\n -c"]))[1]).toBe("build/shell_invoke is another");
  project.write([lines[2] ?? ""]);
  expect((await builds())[0]).toBe("the steps before it are others");
  project.write(lines);
  expect(await builds()).toEqual(cached(4));
  expect(await builds("--no-cache")).toEqual(Array.from({ length: 4 }, () => "--no-cache"));
  expect(await builds()).toEqual(cached(4));
});

test("a file that changes between the look at it and the copy of it is copied as it is, and the step is not cached", async () => {
  const project = new Project(lab, "changing");
  const lines = ['COPY({ source: "/data", target: "/data" });', 'SH("cp /data/a.txt /one");'];
  const file = join(project.folder, "data/a.txt");
  // Once long before, and once just before the build, when its time says nothing yet.
  for (const pause of [2500, 0]) {
    writeFileSync(file, `before ${pause}`);
    await sleep(pause);
    project.write([`SH("sleep 3 # ${pause}");`, ...lines]);
    const building = project.build();
    await sleep(2500);
    writeFileSync(file, `after ${pause}`.padEnd(`before ${pause}`.length));
    const built = await building;
    expect(built.stdout).toContain("has changed while it was at work");
    expect(sh(lab.images, `zstd -dc ${project.image}.zst | tar -xO ./one`)).toBe(`after ${pause}`.padEnd(`before ${pause}`.length));
    expect(steps(await project.build())).toEqual(["cached", "a.txt: another content", "the step before it, at build.ts:4, was done again"]);
  }
});

test("a step that removes something of the image below is cached as any other", async () => {
  const project = new Project(lab, "removes");
  const removes = 'SH("rm /etc/issue /etc/group; echo 1 > /one");';
  // Long enough for the first one to be in the cache before the build ends.
  project.write([removes, 'SH("sleep 2; echo 1 > /two");']);
  await project.build();
  project.write([removes, 'SH("cat /one > /two; ls /etc/group /etc/issue 2> /dev/null >> /two || true");']);
  expect(steps(await project.build())).toEqual(["cached", "script is another"]);
});

longTest("steps are shared by images that begin alike; what changes nothing has nothing done again", async () => {
  const project = new Project(lab, "share");
  project.write([...lines, 'SH("echo 1 > /three");'], "share-1.tar");
  await project.build();
  project.write([...lines, 'SH("true", { cache: false });', 'SH("echo 1 > /three");'], "share-2.tar");
  expect(steps(await project.build())).toEqual([...cached(4), "cache: false", "cached"]);
  project.write([...lines, 'SH("date +%N > /four", { cache: false });', 'SH("echo 1 > /three");'], "share-2.tar");
  expect(steps(await project.build())).toEqual([...cached(4), "cache: false", expect.stringContaining("was done again")]);
});

test("a failed step is not cached, and what it left can be looked at", async () => {
  const project = new Project(lab, "fail");
  project.write(['SH("echo 1 > /one");', 'SH("echo 2 > /two; rm -r /opt; false");']);
  for (const options of [[], ["--keep-failed"]]) {
    const ended = await project.run(options);
    expect(ended.code).toBe(1);
    expect(lab.inProgress().length).toBe(options.length);
  }
  const [kept = ""] = lab.inProgress();
  const root = join(lab.store, "tempdir", kept, "root");
  expect(readFileSync(join(root, "one"), "utf8") + readFileSync(join(root, "two"), "utf8")).toBe("1\n2\n");
  expect(existsSync(join(root, "opt"))).toBe(false);
  const { stdout } = await project.run(["--keep-failed"]);
  expect(stdout).toContain(`--directory=${join(lab.store, "tempdir")}/kept-`);
  project.write(['SH("echo 1 > /one");', 'SH("echo 2 > /two");']);
  expect(steps(await project.build())[0]).toBe("cached");
  for (const name of lab.inProgress()) rmSync(join(lab.store, "tempdir", name), { recursive: true });
});

const damages: readonly [string, (layer: string, description: string) => void][] = [
  ["a file of its layer has another content", (layer) => writeFileSync(join(layer, "one"), "X\n")],
  ["a file of its layer is gone", (layer) => unlinkSync(join(layer, "one"))],
  ["its layer is gone", (layer) => rmSync(layer, { recursive: true })],
  ["its layer is another folder", (layer) => sh(layer, 'cd ..; cp -a "$1" copy; rm -r "$1"; mv copy "$1"', layer)],
  ["its description is cut off", (_, description) => writeFileSync(description, readFileSync(description, "utf8").slice(0, 40))],
  ["its description is gone", (_, description) => unlinkSync(description)],
];

test.each(sample(damages))("a cached step is done again if %s", async (_, damage) => {
  const store = join(lab.folder, "damaged");
  rmSync(store, { recursive: true, force: true });
  const project = new Project(lab, "damage");
  project.write(['SH("echo 1 > /one");']);
  await project.build([], { store });
  // There is that of what systemd-nspawn makes in the root, too.
  const id = readdirSync(join(store, "extract/step")).find((name) => existsSync(join(store, "extract/step", name, "one"))) ?? "";
  const description = readdirSync(join(store, "step")).find((name) => readFileSync(join(store, "step", name), "utf8").includes(id)) ?? "";
  damage(join(store, "extract/step", id), join(store, "step", description));
  // Something above it, since an image that is published already needs none of its layers.
  project.write(['SH("echo 1 > /one");', 'SH("cat /one > /two");']);
  const ended = await project.build([], { store });
  expect(steps(ended).at(-1)).not.toBe("cached");
  expect(sh("/", 'tar --zstd -xOf "$1" ./one ./two', lab.archive(`${project.image}.zst`))).toBe("1\n1\n");
  expect(steps(await project.build([], { store }))).toEqual(cached(2));
});

longTest("the cache keeps to its limits, and is cleared by prune", async () => {
  const store = join(lab.folder, "limited");
  const project = new Project(lab, "limits");
  const big = (name: string): string => `SH("head -c 1000000 /dev/zero > /${name}");`;
  const limited = { store, env: { NSPAWN_BUILD_CACHE_SIZE: "2500K" } };
  const count = (): number => Number(sh(store, "find extract/step -type f -size +500k | wc -l"));
  project.write([big("one"), big("two")]);
  await project.build([], limited);
  expect(count()).toBe(2);
  project.write([big("one"), big("three")]);
  await project.build([], limited);
  // The one that was not used for longest has gone.
  expect(count()).toBe(2);
  expect(steps(await project.build([], limited))).toEqual(cached(2));
  const old = new Date(Date.now() - 40 * 24 * 3600 * 1000);
  for (const name of readdirSync(join(store, "step"))) utimesSync(join(store, "step", name), old, old);
  expect((await lab.nspawn(["prune", "--dry-run"], { store })).stdout).toMatch(/step {2}[0-9a-f]{16}/);
  await lab.nspawn(["prune"], { store });
  expect(count()).toBe(0);
  await project.build([], { store, env: { NSPAWN_BUILD_CACHE_SIZE: "0" } });
  expect(count()).toBe(0);
});

test("what comes from the host's environment is in no key, and not in the cache", async () => {
  const store = join(lab.folder, "secret");
  const project = new Project(lab, "secret");
  project.write(['SH("echo ${http_proxy:+proxied} > /one");'].map((line) => line.replace("${", "\\${")));
  const options = { store, env: { http_proxy: "http://me:word-of-pass@127.0.0.1:9", NSPAWN_PROXY_USE_MACHINE_PROXY: "yes" } };
  await project.build([], options);
  expect(steps(await project.build([], { store }))).toEqual(["cached"]);
  expect(sh(store, "grep -r word-of-pass . || echo none")).toBe("none\n");
});

test("builds at once, and killed ones, leave a cache that is right", async () => {
  const store = join(lab.folder, "many");
  const project = new Project(lab, "many");
  project.write([...lines, 'SH("sleep 0.2; cat /one /two > /three");']);
  const all = await Promise.all(Array.from({ length: 4 }, (_, index) => lab.run(copyOf(project, index), { store })));
  expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, ""]));
  for (let round = 0; round < tries(16); round++) {
    project.write([...lines, `SH("sleep 0.1; echo ${round} > /three");`, 'SH("cat /three > /four");']);
    const { child, ended } = lab.start(join(project.folder, "build.ts"), { store });
    setTimeout(() => child.kill("SIGKILL"), 300 + round * 60);
    await ended;
  }
  project.write([...lines, 'SH("echo last > /three");', 'SH("cat /three > /four");']);
  await project.build([], { store });
  expect(sh("/", 'tar --zstd -xOf "$1" ./one ./four', lab.archive(`${project.image}.zst`))).toBe("last\na");
  const described = readdirSync(join(store, "step")).map(
    (name) => JSON.parse(readFileSync(join(store, "step", name), "utf8")) as Description,
  );
  const withLayer = described.filter(({ fingerprint }) => fingerprint !== undefined).map(({ id }) => id);
  // What killed builds have left is gone, too.
  expect(readdirSync(join(store, "extract/step")).sort()).toEqual(withLayer.sort());
});

type Description = { readonly id: string; readonly fingerprint?: string };

function copyOf(project: Project, index: number): string {
  const path = join(project.folder, `build-${index}.ts`);
  writeFileSync(path, readFileSync(join(project.folder, "build.ts"), "utf8").replace(project.image, `many-${index}.tar`));
  return path;
}
