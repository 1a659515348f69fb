import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { sh } from "../support/tree.js";
import { type BuildOptions, type Ended, Lab } from "./support/build.js";

const lab = new Lab();
afterAll(() => lab.remove());

/** A script that the test changes. */
class Project {
  readonly folder: string;
  readonly #path: string;
  readonly image: string;

  constructor(name: string) {
    this.image = `${name}.tar`;
    this.#path = lab.script("", {
      "data/a.txt": "a",
      "data/sub/b.txt": "b",
      "data/sub/c.txt": "c",
      "t/page.txt": "{{ word }} {% include '/part.txt' %}",
      "part.txt": "part",
    });
    this.folder = dirname(this.#path);
    symlinkSync("a.txt", join(this.folder, "data/link"));
  }

  write(lines: readonly string[], name = this.image): void {
    const head = 'import { CAST, COPY, IMAGE, PULL, PUSH, RUN, SH, WITH } from "nspawn/build";';
    const all = [head, `IMAGE(${JSON.stringify(lab.url(`${name}.zst`))}); PULL(${JSON.stringify(lab.busybox)});`, ...lines, "PUSH();"];
    writeFileSync(this.#path, `${all.join("\n")}\n`);
  }

  build(options: readonly string[] = [], more: BuildOptions = {}): Promise<Ended> {
    return lab.build(this.#path, { options: ["--json", ...options], ...more });
  }

  run(options: readonly string[] = [], more: BuildOptions = {}): Promise<Ended> {
    return lab.run(this.#path, { options: ["--json", ...options], ...more });
  }

  archive(name = this.image): Buffer {
    return readFileSync(lab.archive(`${name}.zst`));
  }
}

type Step = { readonly event: string; readonly step: string; readonly cached: boolean; readonly why?: string };

function eventsOf({ stdout }: Ended): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** For each step `cached`, or why it was not. */
function steps(ended: Ended): readonly string[] {
  const found = eventsOf(ended).filter(({ event }) => event === "step-end") as unknown as readonly Step[];
  return found.map(({ cached, why }) => (cached ? "cached" : (why ?? "")));
}

function isPushed(ended: Ended): boolean | undefined {
  const push = eventsOf(ended).find(({ event }) => event === "pushed");
  return push && push.unchanged === false;
}

const cached = (count: number): readonly string[] => Array.from({ length: count }, () => "cached");

const lines = [
  'COPY({ source: "/data", target: "/opt/data" });',
  'SH("cat /opt/data/a.txt > /one");',
  'CAST({ source: "/t", target: "/opt/t" }, { word: "hello" });',
  'RUN(["cp", "/opt/t/page.txt", "/two"]);',
];

test("an unchanged build does nothing again, and says what did a changed one", async () => {
  const project = new Project("why");
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

test("steps are shared by images that begin alike; what changes nothing has nothing done again", async () => {
  const project = new Project("share");
  project.write([...lines, 'SH("echo 1 > /three");'], "share-1.tar");
  await project.build();
  project.write([...lines, 'SH("true", { cache: false });', 'SH("echo 1 > /three");'], "share-2.tar");
  expect(steps(await project.build())).toEqual([...cached(4), "cache: false", "cached"]);
  project.write([...lines, 'SH("date +%N > /four", { cache: false });', 'SH("echo 1 > /three");'], "share-2.tar");
  expect(steps(await project.build())).toEqual([...cached(4), "cache: false", expect.stringContaining("was done again")]);
});

test("a failed step is not cached, and what it left can be looked at", async () => {
  const project = new Project("fail");
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

test.each<[string, (layer: string, description: string) => void]>([
  ["a file of its layer has another content", (layer) => writeFileSync(join(layer, "one"), "X\n")],
  ["a file of its layer is gone", (layer) => unlinkSync(join(layer, "one"))],
  ["its layer is gone", (layer) => rmSync(layer, { recursive: true })],
  ["its layer is another folder", (layer) => sh(layer, 'cd ..; cp -a "$1" copy; rm -r "$1"; mv copy "$1"', layer)],
  ["its description is cut off", (_, description) => writeFileSync(description, readFileSync(description, "utf8").slice(0, 40))],
  ["its description is gone", (_, description) => unlinkSync(description)],
])("a cached step is done again if %s", async (_, damage) => {
  const store = join(lab.folder, "damaged");
  rmSync(store, { recursive: true, force: true });
  const project = new Project("damage");
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

test("the cache keeps to its limits, and is cleared by prune", async () => {
  const store = join(lab.folder, "limited");
  const project = new Project("limits");
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
  const project = new Project("secret");
  project.write(['SH("echo ${http_proxy:+proxied} > /one");'].map((line) => line.replace("${", "\\${")));
  const options = { store, env: { http_proxy: "http://me:word-of-pass@127.0.0.1:9", NSPAWN_PROXY_USE_MACHINE_PROXY: "yes" } };
  await project.build([], options);
  expect(steps(await project.build([], { store }))).toEqual(["cached"]);
  expect(sh(store, "grep -r word-of-pass . || echo none")).toBe("none\n");
});

test("builds at once, and killed ones, leave a cache that is right", async () => {
  const store = join(lab.folder, "many");
  const project = new Project("many");
  project.write([...lines, 'SH("sleep 0.2; cat /one /two > /three");']);
  const all = await Promise.all(Array.from({ length: 4 }, (_, index) => lab.run(copyOf(project, index), { store })));
  expect(all.map(({ code, stderr }) => [code, stderr])).toEqual(all.map(() => [0, ""]));
  for (let round = 0; round < 12; round++) {
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

/** Changes of a project, each of which a build has to see. */
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
  "file renamed": ({ folder }) => renameSync(join(folder, "data/sub/c.txt"), join(folder, "data/sub/d.txt")),
  time: ({ folder }) => utimesSync(join(folder, "data/a.txt"), 1000, 1000),
  "hard link": ({ folder }) => sh(folder, "rm data/sub/c.txt; ln data/sub/b.txt data/sub/c.txt"),
  "template variable": (_, script) => replace(script, '"hello"', '"bye"'),
  environment: (_, script) => void script.unshift('WITH({ Environment: { A: "1" } });'),
  "script text": (_, script) => replace(script, "a.txt > /one", "a.txt /opt/data/a.txt > /one"),
  order: (_, script) => void script.reverse(),
  "step removed": (_, script) => void script.pop(),
  nothing: () => undefined,
};

function replace(script: string[], from: string, to: string): void {
  for (const [index, line] of script.entries()) script[index] = line.replace(from, to);
}

test("a build with the cache is, byte for byte, one without it", { timeout: 240_000 }, async () => {
  const bare = join(lab.folder, "bare");
  const kinds = Object.keys(changes);
  // Each change once, and then some by chance, with steps by chance.
  const steps_ = fc.shuffledSubarray(
    [...lines.slice(0, 1), 'SH("mkdir -p /opt; ls -R /opt > /one");', ...lines.slice(2, 3), 'RUN(["ln", "-s", "x", "/two"]);'],
    {
      minLength: 2,
    },
  );
  const cases = fc.sample(steps_, { numRuns: kinds.length, seed: Date.now() % 1000 });
  for (const [index, kind] of kinds.entries()) {
    const project = new Project("same");
    const script = [...(cases[index] ?? lines)];
    const env = { SOURCE_DATE_EPOCH: "1000000000" };
    project.write(script);
    await project.build([], { env });
    changes[kind]?.(project, script);
    project.write(script);
    await project.build([], { env });
    const withCache = project.archive();
    await project.build(["--no-cache", "--force"], { env, store: bare });
    expect(withCache.equals(project.archive()), `${kind}: ${script.join(" ")}`).toBe(true);
  }
});
