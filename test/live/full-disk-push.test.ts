import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { longTest } from "../support/tries.js";
import { type BuildOptions, type Ended, Lab, Sandbox } from "./support/build.js";
import { type Left, SmallDisk, unclear } from "./support/small-disk.js";
import { layersOf, leaksIn, whenSynced } from "./support/store.js";

const lab = new Lab("/dev/shm");
/** As the archives are reproducible, what is published is known. */
const env = { SOURCE_DATE_EPOCH: "1700000000" };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.open();
});
afterAll(async () => {
  await sandbox.close();
  lab.remove();
});

/** Sizes in KiB of what each step of {@link steps} writes, and of the archive: nothing in it can be compressed. */
const sizes = { copied: 400, file: 400, cast: 100, made: 300 };

/** A script with a step of each kind, whose inputs have a fixed time. */
function steps(url: string): string {
  const lines = [
    `IMAGE("${url}");`,
    `PULL("${lab.busybox}");`,
    'COPY("/files");',
    'COPY("/file");',
    'CAST("/cast");',
    'SH("cat /files/* | head -c 307200 > /made; rm /etc/issue; mkdir /empty");',
    "PUSH();",
  ];
  const files = Array.from({ length: 4 }, (_, i) => [`files/${i}`, randomBytes((sizes.copied * 1024) / 4)] as const);
  return reproducible(lines.join("\n"), {
    ...Object.fromEntries(files),
    file: randomBytes(sizes.file * 1024),
    cast: randomBytes(sizes.cast * 512).toString("hex"),
  });
}

function reproducible(lines: string, files: BuildOptions["files"]): string {
  const path = lab.script(lines, files);
  const folder = dirname(path);
  for (const name of readdirSync(folder, { recursive: true })) utimesSync(join(folder, String(name)), 1.7e9, 1.7e9);
  return path;
}

function push(path: string, store: string): Promise<Ended> {
  // All steps are to be done each time.
  return lab.run(path, { store, env, within: sandbox.within, options: ["--no-cache"] });
}

/** The first line of an error, without what differs. */
function headline({ stderr }: Ended): string {
  return /^(?:\S+build\.ts:\d+: )?error: .*$/m.exec(stderr)?.[0] ?? stderr;
}

describe("a push whose store is on a full disk", () => {
  let disk: SmallDisk;
  let store: string;
  let build: string;
  let old: Buffer;
  let after: Buffer;
  const image = (): string => disk.path("images/x.tar.gz");

  beforeAll(async () => {
    disk = await SmallDisk.mount(join(lab.folder, "store-disk"), sandbox);
    store = join(disk.folder, "store");
    build = steps(`file://${join(disk.folder, "images/x.tar.gz")}`);
    const { code, stderr } = await push(build, store);
    expect(code, stderr).toBe(0);
    after = readFileSync(image());
    old = Buffer.from("what was there before");
    writeFileSync(image(), old);
  });

  const expectNothingHalf = async (): Promise<void> => {
    await whenSynced(disk.path("store"));
    expect(readdirSync(disk.path("images"))).toEqual(["x.tar.gz"]);
    expect(leaksIn(disk.path("store"))).toEqual([]);
    // Of the parent alone.
    expect(layersOf(disk.path("store"))).toHaveLength(1);
    expect(readdirSync(disk.path("store/extract")).filter((name) => name !== "step")).toHaveLength(1);
  };

  /** Pushes with so much left on the disk, then with enough of it, unless that is for the next trial. Returns how the first push ended. */
  async function trial(left: Left, { again = true } = {}): Promise<Ended> {
    await disk.leave(left);
    const ended = await push(build, store);
    await expectNothingHalf();
    if (ended.code !== 0) {
      expect(unclear(ended, disk.folder)).toBeUndefined();
      expect(readFileSync(image()).equals(old)).toBe(true);
    }
    await disk.grow();
    if (again) {
      const { code, stderr } = await push(build, store);
      expect(code, stderr).toBe(0);
      await expectNothingHalf();
      expect(readFileSync(image()).equals(after)).toBe(true);
    }
    writeFileSync(image(), old);
    return ended;
  }

  const { copied, file, cast, made } = sizes;
  /** KiB that hold what was before a step, and a part of it. */
  const inSteps = [
    [50, /:4: error: COPY \/files/],
    [copied + file / 2, /:5: error: COPY \/file /],
    [copied + file + cast / 2, /:6: error: CAST .*: the disk of .* is full: write/],
    // It is rendered aside.
    [copied + file + cast * 1.5, /:6: error: CAST /],
    [copied + file + cast * 2 + made / 2, /:7: error: SH /],
    [copied + file + cast * 2 + made + 200, /^error: the archive cannot be written to .*: No space left on device/],
    [(copied + file + cast + made) * 2 - 100, /^error: the archive cannot be written to .*: No space left on device/],
  ] as const;

  longTest.each(inSteps)("with %d KiB left", async (kib, message) => {
    expect(headline(await trial({ kib }))).toMatch(message);
  });

  longTest("with any number of inodes left", async () => {
    const ends: Ended[] = [];
    for (let inodes = 0; ends.at(-1)?.code !== 0; inodes += 9) ends.push(await trial({ inodes }, { again: ends.length % 4 === 0 }));
    const seen = ends.map(headline).join("\n");
    for (const phase of [/^error: the disk of .*tempdir is full: mkdtemp/, /COPY \/files/, /COPY \/file /, /CAST/, /SH/])
      expect(seen).toMatch(new RegExp(phase, "m"));
    expect(ends.length).toBeGreaterThan(10);
  });
});

describe("a push", () => {
  longTest("to a file on a full disk leaves the old image, and nothing beside it", async () => {
    const disk = await SmallDisk.mount(join(lab.folder, "target-disk"), sandbox);
    const target = join(disk.folder, "images/x.tar.gz");
    const build = reproducible(`IMAGE("file://${target}"); COPY("/file"); PUSH();`, { file: randomBytes(1_200_000) });
    const store = join(lab.folder, "target-store");
    expect((await push(build, store)).code).toBe(0);
    const whole = readFileSync(disk.path("images/x.tar.gz"));
    const old = randomBytes(200_000);
    const lefts: readonly Left[] = [{ kib: 0 }, { kib: 300 }, { kib: Math.floor(whole.length / 1024) - 8 }, { inodes: 0 }];
    for (const left of lefts) {
      writeFileSync(disk.path("images/x.tar.gz"), old);
      await disk.leave(left);
      const ended = await push(build, store);
      expect(unclear(ended, `file://${target}: cannot be written: the disk of ${dirname(target)} is full`)).toBeUndefined();
      expect(ended.stderr).toMatch(/make room there, the archive has 1 MiB$/m);
      expect(readdirSync(disk.path("images"))).toEqual(["x.tar.gz"]);
      expect(readFileSync(disk.path("images/x.tar.gz")).equals(old)).toBe(true);
      expect(leaksIn(store)).toEqual([]);
      await disk.grow();
    }
    // A folder that there is no inode for.
    rmSync(disk.path("images"), { recursive: true });
    await disk.leave({ inodes: 0 });
    expect(unclear(await push(build, store), `the disk of ${dirname(target)} is full: mkdir`)).toBeUndefined();
    await disk.grow();
    const again = await push(build, store);
    expect(again.code, again.stderr).toBe(0);
    expect(readdirSync(disk.path("images"))).toEqual(["x.tar.gz"]);
    expect(readFileSync(disk.path("images/x.tar.gz")).equals(whole)).toBe(true);
  });

  longTest(
    "to a server whose disk is full says so at once, and to one that is cut off by it after some tries; the next one succeeds",
    async () => {
      const disk = await SmallDisk.mount(join(lab.folder, "server-disk"), sandbox);
      const image = disk.path("x.tar.gz");
      let onFull: "507" | "cut" = "507";
      let puts = 0;
      // Takes uploads as WebDAV servers do: aside, then renamed.
      const server = createServer((request, response) => {
        if (request.method === "HEAD") return void response.writeHead(200, { "content-length": statSync(image).size }).end();
        puts++;
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          try {
            writeFileSync(`${image}.part`, Buffer.concat(chunks));
            renameSync(`${image}.part`, image);
            response.writeHead(201).end();
          } catch {
            rmSync(`${image}.part`);
            if (onFull === "cut") request.socket.destroy();
            else response.writeHead(507).end();
          }
        });
      }).listen(0, "127.0.0.1");
      await new Promise((ready) => server.once("listening", ready));
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.tar.gz`;
        const lines = `IMAGE("${url}"); COPY("/file"); PUSH();`;
        const build = reproducible(lines, { file: randomBytes(1_000_000) });
        const store = join(lab.folder, "server-store");
        for (const [how, message, tries] of [
          ["507", /HTTP status 507 Insufficient Storage to PUT\n {2}hint: the server has no room left: remove images there\n$/, 1],
          ["cut", /error: .*x\.tar\.gz: .*\(tried \d+ times\)\n/, 5],
        ] as const) {
          onFull = how;
          puts = 0;
          writeFileSync(image, "old");
          await disk.leave({ kib: 200 });
          const ended = await push(build, store);
          expect(ended.code, ended.stderr).toBe(1);
          expect(ended.stderr).toMatch(message);
          expect(puts).toBe(tries);
          expect(readFileSync(image, "utf8")).toBe("old");
          expect(leaksIn(store)).toEqual([]);
          await disk.grow();
          const again = await push(build, store);
          expect(again.code, again.stderr).toBe(0);
          expect(statSync(image).size).toBeGreaterThan(1_000_000);
          expect(readdirSync(disk.path())).toEqual(["x.tar.gz"]);
        }
      } finally {
        server.closeAllConnections();
        server.close();
      }
    },
  );
});
