import { randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tries } from "../support/tries.js";
import { digestOf, type Ended, Lab, runProgram, sleep } from "./support/build.js";
import { layersOf, leaksIn, recordsOf, treeHash, whenSynced } from "./support/store.js";

const lab = new Lab();
/** Serves the lab's images, and counts how often each is downloaded: `base.tar.gz` → 1. */
let server: Server;
let origin: string;
const downloads = new Map<string, number>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1);
    const path = join(lab.images, name);
    response.setHeader("etag", `"${digestOf(path)}"`);
    response.setHeader("content-length", statSync(path).size);
    if (request.method === "HEAD") return response.end();
    downloads.set(name, (downloads.get(name) ?? 0) + 1);
    // The base takes a second and a half, so that the others have to wait for it.
    const body = createReadStream(path, { highWaterMark: 100_000 });
    if (name !== "base.tar.gz") return body.pipe(response);
    body.on("data", (chunk) => {
      body.pause();
      response.write(chunk);
      setTimeout(() => body.resume(), 75);
    });
    body.on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const busybox = join(lab.folder, "busybox");
  mkdirSync(busybox);
  await runProgram(["tar", "-C", busybox, "-xzf", lab.busybox.slice("file://".length)]);
  writeFileSync(join(busybox, "random"), randomBytes(1_000_000));
  await image("base.tar.gz", [], busybox);
  await image("left.tar.gz", ["base.tar.gz"]);
  await image("right.tar.gz", ["base.tar.gz"]);
  await image("top.tar.gz", ["left.tar.gz", "right.tar.gz"]);
});
afterAll(() => {
  server.close();
  lab.remove();
});

/** Makes the archive of an image whose parents are on the server, too. */
async function image(name: string, parents: readonly string[], folder = mkdtempSync(join(lab.folder, "content-"))): Promise<void> {
  const urls = parents.map((parent) => `${origin}/${parent}`).join(", ");
  writeFileSync(join(folder, "nspawn-image.yaml"), `image_url: ${origin}/${name}\noverlay_url_list: [${urls}]\n`);
  writeFileSync(join(folder, "version"), `${name} ${randomBytes(8).toString("hex")}\n`);
  await runProgram(["tar", "-C", folder, "-czf", lab.archive(name), "."]);
}

function expectAllWell(ended: readonly Ended[]): void {
  for (const { code, stdout, stderr } of ended) expect(code, stdout + stderr).toBe(0);
}

const all = ["base.tar.gz", "left.tar.gz", "right.tar.gz", "top.tar.gz"];

describe("8 commands at once", () => {
  test("that pull the same images finish, and each image is downloaded once", async () => {
    const store = join(lab.folder, "store-eight");
    downloads.clear();
    expectAllWell(await Promise.all(Array.from({ length: 8 }, () => lab.nspawn(["image", "pull", `${origin}/top.tar.gz`], { store }))));
    expect(Object.fromEntries(downloads)).toEqual(Object.fromEntries(all.map((name) => [name, 1])));
    expect(layersOf(store)).toHaveLength(4);
    expect(leaksIn(store)).toEqual([]);
  });

  test("that pull, build on and prune the same images finish, and all that they made is there", async () => {
    const store = join(lab.folder, "store-mixed");
    downloads.clear();
    const pull = (name: string): Promise<Ended> => lab.nspawn(["image", "pull", `${origin}/${name}`], { store });
    // A step of its own each: else whichever comes later finds it in the cache.
    const build = (name: string): Promise<Ended> =>
      lab.run(`IMAGE("${lab.url(name)}"); PULL("${origin}/top.tar.gz"); SH("cat /version > /${name}; ls -d /random"); PUSH();`, { store });
    const prune = async (): Promise<Ended> => {
      await sleep(Math.random() * 1500);
      return lab.nspawn(["prune"], { store });
    };
    const [one, two] = [build("one.tar.gz"), build("two.tar.gz")];
    expectAllWell(await Promise.all([pull("top.tar.gz"), pull("left.tar.gz"), pull("base.tar.gz"), one, two, prune(), prune(), prune()]));
    expect(Object.fromEntries(downloads)).toEqual(Object.fromEntries(all.map((name) => [name, 1])));
    for (const build of [await one, await two]) expect(build.output).toEqual(["/random"]);
    expect(layersOf(store)).toHaveLength(4);
    expect(leaksIn(store)).toEqual([]);
  });
});

describe("a layer that a running build stands on, and its URL not any more", () => {
  test("is neither pruned nor removed until the build has ended", async () => {
    const store = join(lab.folder, "store-claim");
    const url = `${origin}/left.tar.gz`;
    const digest = digestOf(lab.archive("left.tar.gz"));
    const folder = lab.layer(lab.archive("left.tar.gz"), store);
    expectAllWell([await lab.nspawn(["image", "pull", url], { store })]);
    await image("left.tar.gz", ["base.tar.gz"]);
    expectAllWell([await lab.nspawn(["image", "pull", url], { store })]);
    const hash = await treeHash(folder);
    const script = `IMAGE("${lab.url("claim.tar.gz")}"); PULL({ url: "${url}", digest: "${digest}" }); SH("echo begun; sleep 3; cat /version");`;
    const running = lab.start(script, { store });
    await new Promise<void>((begun) => running.child.stdout?.on("data", (chunk: Buffer) => chunk.includes("begun") && begun()));
    expectAllWell([await lab.nspawn(["prune"], { store })]);
    expect(await treeHash(folder)).toBe(hash);
    const refused = await lab.nspawn(["image", "remove", digest], { store });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${digest} is in use by nspawn-build (process ${running.child.pid})`);
    expectAllWell([await running.ended]);
    const pruned = await lab.nspawn(["prune"], { store });
    expectAllWell([pruned]);
    expect(pruned.stdout).toContain(`removed layer ${digest.slice(7, 23)} (${url})`);
    expect(layersOf(store)).toHaveLength(2);
  });
});

describe("a full disk", () => {
  /**
   * Fills a small file system while an image is pulled, after so many milliseconds each; then makes room and pulls again. A line for
   * either pull, the second with the number of layers and of leaks.
   */
  const script = `
    store=$1; url=$2; shift 2
    mount -t tmpfs -o size=32m,mode=0755 tmpfs "$store"
    for delay; do
      rm -rf "$store"/*
      (sleep "$delay"; dd if=/dev/zero of="$store/filler" bs=64k 2>"$store.dd"; true) &
      NSPAWN pull "$url" >"$store.out" 2>&1 && code=0 || code=$?
      wait
      echo "filled after $delay s: $code $(grep 'error:' "$store.out" | head -n 1)"
      rm "$store/filler"
      NSPAWN pull "$url" >"$store.out" 2>&1 && code=0 || code=$?
      while [ -n "$(find "$store/extract" -name '*synced')" ]; do sleep 0.02; done
      echo "again: $code $(ls "$store/extract" | wc -l) $(ls -A "$store/tempdir" "$store/writing" | grep -c -v -e '^$' -e ':$')"
    done`;

  test("at any moment of a pull is a clear error, and the next pull succeeds and cleans up", async () => {
    const moments = tries(32);
    const store = join(lab.folder, "store-full");
    mkdirSync(store);
    // The shortest of three: the moments have to be within a pull.
    let seconds = Number.POSITIVE_INFINITY;
    for (const name of ["store-timed-1", "store-timed-2", "store-timed-3"]) {
      const began = performance.now();
      expectAllWell([await lab.nspawn(["image", "pull", lab.busybox], { store: join(lab.folder, name) })]);
      seconds = Math.min(seconds, (performance.now() - began) / 1000);
    }
    const lines = await inNamespace(
      store,
      Array.from({ length: moments }, (_, i) => (i / moments) * seconds),
    );
    const failed = lines.filter((line) => /^filled after [\d.]+ s: 1/.test(line));
    expect(failed.length, lines.join("\n")).toBeGreaterThan(moments / 3);
    for (const line of lines) {
      if (line.startsWith("again")) expect(line, lines.join("\n")).toBe("again: 0 1 0");
      else expect(line).toMatch(/s: (0 $|1 error: .*(no space left|No space left|is full|not enough room))/);
    }
  });

  async function inNamespace(store: string, delays: readonly number[]): Promise<readonly string[]> {
    const nspawn = lab.nspawnArgv.map((word) => `"${word}"`).join(" ");
    const text = script.replaceAll("NSPAWN", `NSPAWN_STORAGE_ROOT="$store" ${nspawn} image`);
    const argv = [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-ec",
      text,
      "sh",
      store,
      lab.busybox,
      ...delays.map((delay) => delay.toFixed(3)),
    ];
    return (await runProgram(argv)).toString().trim().split("\n");
  }
});

describe("damage", () => {
  test("of a record or a description, as by a power cut, is a warning, and the next pull repairs it", async () => {
    const store = join(lab.folder, "store-damage");
    const url = lab.busybox;
    expectAllWell([await lab.nspawn(["image", "pull", url], { store })]);
    const [id = ""] = layersOf(store);
    const hash = await treeHash(join(store, "extract", id));
    const record =
      readdirSync(join(store, "record"), { recursive: true })
        .map(String)
        .find((path) => path.endsWith("@.json")) ?? "";
    for (const path of [join(store, "layer", `${id}.json`), join(store, "record", record)]) {
      const text = readFileSync(path, "utf8");
      for (const broken of [text.slice(0, text.length / 2), "", "\0".repeat(100), "[]"]) {
        writeFileSync(path, broken);
        const listed = await lab.nspawn(["image", "list"], { store });
        expect(listed.code, listed.stderr).toBe(0);
        expect(listed.stderr).toContain(`${path} is damaged`);
        const pulled = await lab.nspawn(["image", "pull", url], { store });
        expectAllWell([pulled]);
        expect(pulled.stderr).toContain(`${path} is damaged`);
        expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ digest: recordsOf(store)[0]?.digest });
        expect(await treeHash(join(store, "extract", id))).toBe(hash);
      }
    }
    writeFileSync(join(store, "record", record), "{");
    mkdirSync(join(store, "extract", "0123456789abcdef"));
    writeFileSync(join(store, "layer", "fedcba9876543210.json"), "{}");
    const pruned = await lab.nspawn(["prune"], { store });
    expectAllWell([pruned]);
    for (const name of ["leftover 0123456789abcdef", "leftover fedcba9876543210", `record ${join(store, "record", record)}`])
      expect(pruned.stdout).toContain(`removed ${name}`);
    // Without its record nothing needs the layer.
    expect(pruned.stdout).toContain(`removed layer ${id}`);
    expect(recordsOf(store)).toEqual([]);
  });
});

test("what has the disk take a pull goes on behind it, and holds nothing that the caller has open", async (context) => {
  // In a container, a pull waits for the disk.
  if (readlinkSync("/proc/self/ns/pid") !== "pid:[4026531836]") return context.skip();
  const [store, programs, held] = ["store-behind", "programs", "held"].map((name) => join(lab.folder, name)) as [string, string, string];
  mkdirSync(programs);
  writeFileSync(join(programs, "sync"), '#!/bin/sh\nsleep 3\nexec /usr/bin/sync "$@"\n', { mode: 0o755 });
  writeFileSync(held, "");
  const within = ["bash", "-c", 'exec 9< "$0" 200< "$0"; PATH=$1:$PATH; shift; exec "$@"', held, programs];
  expectAllWell([await lab.nspawn(["image", "pull", lab.busybox], { store, within })]);
  const shells = (await runProgram(["pgrep", "--full", `^sh -c .*nspawn-sync ${store}`])).toString().trim().split("\n");
  for (const pid of shells) {
    const files = readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
    expect(files).not.toContain(held);
    expect(files).toContain(join(store, "lock"));
  }
  expect(layersOf(store)).toHaveLength(1);
  await whenSynced(store);
  expect(layersOf(store)).toHaveLength(1);
});
