import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLong, sample } from "../support/tries.js";
import { Lab, runProgram, Sandbox } from "./support/build.js";
import { errorOf, Project, steps } from "./support/project.js";
import { SmallDisk, unclear } from "./support/small-disk.js";
import { leaksIn } from "./support/store.js";

const lab = new Lab("/dev/shm");
const env = { SOURCE_DATE_EPOCH: "1000000000" };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.open();
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

const lines = [
  'COPY({ source: "/data", target: "/opt/data" });',
  'SH("head -c 100000 /dev/zero > /zeros; ls -lnR /opt > /list");',
  'CAST({ source: "/t", target: "/opt/t" }, { word: "hello" });',
  'RUN(["cp", "/opt/t/page.txt", "/two"]);',
];

describe("a cache on a full disk", () => {
  const left = [{ kib: 0 }, { kib: 60 }, { kib: 200 }, { inodes: 0 }, { inodes: 10 }, { inodes: 30 }];

  test("is used by the next build as far as it came, and gives the same image", async () => {
    const disk = await SmallDisk.mount(join(lab.folder, "disk"), sandbox);
    const options = { store: join(disk.folder, "store"), env, within: sandbox.within };
    const project = new Project(lab, "full");
    project.write(lines);
    await project.build();
    await project.build(["--no-cache", "--force"], { env, store: join(lab.folder, "other") });
    const right = project.archive();
    // The base is there before the disk is full.
    project.write([]);
    await project.build([], options);
    const ends: unknown[] = [];
    for (const size of sample(left)) {
      project.write(lines);
      await lab.nspawn(["prune", "--cache"], options);
      await disk.leave(size);
      const full = await project.run(["--force"], options);
      await disk.grow();
      ends.push(full.code);
      if (full.code !== 0) expect(unclear({ ...full, stderr: errorOf(full) }, disk.folder), JSON.stringify(size)).toBeUndefined();
      const again = await project.build(["--force"], options);
      expect(project.archive().equals(right), JSON.stringify(size)).toBe(true);
      expect(leaksIn(disk.path("store"))).toEqual([]);
      // Nothing but what failed, or could not be kept, is done again.
      const done = steps(full).filter((step) => step !== "cached").length;
      expect(steps(again).filter((step) => step === "cached").length).toBeLessThanOrEqual(done);
      expect(steps(await project.build([], options))).toEqual(lines.map(() => "cached"));
    }
    expect(ends[0]).toBe(1);
    if (isLong) expect(new Set(ends)).toEqual(new Set([0, 1]));
  });
});

test("a cache that is taken to a host with other users has the same keys, and gives the same image", async () => {
  const project = new Project(lab, "users");
  await runProgram([
    "sh",
    "-ec",
    'cd "$1"; chown 4242:4343 a.txt sub; setfacl -m u:4242:r,g:4343:rx a.txt sub',
    "sh",
    join(project.folder, "data"),
  ]);
  project.write(lines);
  await project.build([], { env });
  const here = project.archive();
  const tables = ["passwd", "group"].map((name) => {
    const line = name === "passwd" ? "somebody:x:4242:4343::/:/bin/sh" : "something:x:4343:";
    return `printf '%s\\n' '${line}' | cat /etc/${name} - > ${lab.folder}/${name}; mount --bind ${lab.folder}/${name} /etc/${name}`;
  });
  const within = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", `${tables.join("; ")}; exec "$@"`, "sh"];
  const names = await runProgram([...within, "getfacl", "--omit-header", "--absolute-names", join(project.folder, "data/a.txt")]);
  expect(names.toString()).toContain("user:somebody:r--");
  expect(steps(await project.build(["--force"], { env, within }))).toEqual(lines.map(() => "cached"));
  expect(project.archive().equals(here)).toBe(true);
  await project.build(["--no-cache", "--force"], { env, within, store: join(lab.folder, "elsewhere") });
  expect(project.archive().equals(here)).toBe(true);
  expect(readFileSync("/etc/passwd", "utf8")).not.toContain("somebody");
});
