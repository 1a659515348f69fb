import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { processName } from "../../src/base/process-id.js";
import { LocalHost } from "../../src/host/local.js";
import { ImageStore } from "../../src/image/store.js";
import { ref } from "../support/archive.js";
import { testConfig } from "../support/config.js";
import { there, writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const host = new LocalHost();
const ignore = (): void => undefined;
const digest = (char: string): string => `sha256:${char.repeat(64)}`;

test("a file that is damaged is told once", async () => {
  const folder = tempFolder();
  const warnings: string[] = [];
  const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, (event) => {
    if (event.kind === "warning") warnings.push(event.text);
  });
  writeFiles(folder, { [`store/layer/${"a".repeat(16)}.json`]: "{", [`store/layer/${"b".repeat(16)}.json`]: "{" });
  for (const char of ["a", "a", "b", "a"]) expect(await store.layer(digest(char))).toBeUndefined();
  expect(warnings).toEqual(["a", "b"].map((char) => expect.stringContaining(`${char.repeat(16)}.json is damaged`)));
  await store.close();
});

describe("layers", () => {
  test("a folder becomes a layer under the start of its digest", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    const layer = await store.whileTemporary(async (scratch) => {
      writeFiles(scratch, { "layer/etc/issue": "x" });
      return store.addLayer({ folder: join(scratch, "layer"), digest: digest("a"), bytes: 7 });
    });
    const root = { mode: 0o755, uid: 0, gid: 0, attributes: false };
    const place = { id: "a".repeat(16), folder: join(folder, "store/extract", "a".repeat(16)) };
    expect(layer).toEqual({ ...place, digest: digest("a"), bytes: 7, root });
    expect(readFileSync(join(layer.folder, "etc/issue"), "utf8")).toBe("x");
    expect(await store.layer(digest("a"))).toEqual(layer);
    expect(await store.layer(digest("b"))).toBeUndefined();
  });

  test("a layer that is there stays, whatever comes under its digest", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    writeFiles(folder, { "one/who": "one", "two/who": "two" });
    await store.addLayer({ folder: join(folder, "one"), digest: digest("a"), bytes: 1 });
    const layer = await store.addLayer({ folder: join(folder, "two"), digest: digest("a"), bytes: 1 });
    expect(readFileSync(join(layer.folder, "who"), "utf8")).toBe("one");
  });

  test("several that add one layer at once all have it", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    const names = ["one", "two", "three", "four"];
    for (const name of names) writeFiles(folder, { [`${name}/who`]: "same" });
    const layers = await Promise.all(names.map((name) => store.addLayer({ folder: join(folder, name), digest: digest("a"), bytes: 1 })));
    for (const layer of layers) expect(layer).toEqual(layers[0]);
    expect(readFileSync(join(there(layers[0]).folder, "who"), "utf8")).toBe("same");
  });

  test("a folder without its description, or a description without its folder, is no layer", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    mkdirSync(join(folder, "store/extract", "a".repeat(16)));
    writeFileSync(join(folder, "store/extract", `${"b".repeat(16)}.json`), JSON.stringify({ digest: digest("b"), bytes: 1 }));
    expect(await store.layer(digest("a"))).toBeUndefined();
    expect(await store.layer(digest("b"))).toBeUndefined();
  });

  test("an empty folder that a power cut left under the layer's name is not taken for the layer", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    mkdirSync(join(folder, "store/extract", "a".repeat(16)));
    writeFiles(folder, { "one/who": "one" });
    const layer = await store.addLayer({ folder: join(folder, "one"), digest: digest("a"), bytes: 1 });
    expect(readdirSync(layer.folder)).toEqual(["who"]);
  });

  test("two digests that begin alike are told apart", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    mkdirSync(join(folder, "one"));
    await store.addLayer({ folder: join(folder, "one"), digest: digest("a"), bytes: 1 });
    await expect(store.layer(`sha256:${"a".repeat(16)}${"b".repeat(48)}`)).rejects.toThrow(/two layers share the id/);
  });

  test("users of the host cannot look into layers, nor take locks", async () => {
    const folder = tempFolder();
    await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    for (const name of ["extract", "tempdir", "runtime", "lock"])
      expect(statSync(join(folder, "store", name)).mode & 0o777, name).toBe(0o700);
  });
});

describe("folders by configuration", () => {
  test("each is where it is put, and records and locks stay below the root", async () => {
    const folder = tempFolder();
    const places = { extract: "disk/layers", tempdir: "disk/temp", runtime: "fast" };
    const config = testConfig(join(folder, "store"), ...Object.entries(places).map(([key, path]) => `[storage]${key}=${folder}/${path}`));
    const store = await ImageStore.open(config.storage, host, ignore);
    const layer = await store.whileTemporary(async (scratch) => {
      expect(scratch.startsWith(`${folder}/disk/temp/`)).toBe(true);
      mkdirSync(join(scratch, "layer"));
      return store.addLayer({ folder: join(scratch, "layer"), digest: digest("a"), bytes: 1 });
    });
    expect(layer.folder).toBe(join(folder, "disk/layers", layer.id));
    expect(store.extractFolder).toBe(join(folder, "disk/layers"));
    expect(readdirSync(join(folder, "store")).sort()).toEqual(["layer", "lock", "note", "record", "use", "writing"]);
    for (const path of Object.values(places)) expect(statSync(join(folder, path)).mode & 0o777, path).toBe(0o700);
  });

  test("one that others use is refused, and stays as it is", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "shared/123-4-theirs/a": "" });
    chmodSync(join(folder, "shared"), 0o755);
    const config = testConfig(join(folder, "store"), `[storage]tempdir=${folder}/shared`);
    await expect(ImageStore.open(config.storage, host, ignore)).rejects.toMatchObject({
      message: `${folder}/shared, which the configuration gives to the store, is open to other users`,
      hint: expect.stringContaining(`chmod 700 ${folder}/shared`),
    });
    expect(readdirSync(join(folder, "shared"))).toEqual(["123-4-theirs"]);
    expect(statSync(join(folder, "shared")).mode & 0o777).toBe(0o755);
  });

  test("one that belongs to somebody else is refused, closed as it may be", async () => {
    const folder = tempFolder();
    writeFiles(folder, { "theirs/a": "" });
    chmodSync(join(folder, "theirs"), 0o700);
    chownSync(join(folder, "theirs"), 1234, 1234);
    const config = testConfig(join(folder, "store"), `[storage]tempdir=${folder}/theirs`);
    await expect(ImageStore.open(config.storage, host, ignore)).rejects.toMatchObject({
      message: `${folder}/theirs, which the configuration gives to the store, belongs to other users`,
      hint: expect.stringContaining(`chown root ${folder}/theirs`),
    });
    expect(readdirSync(join(folder, "theirs"))).toEqual(["a"]);
  });

  test.skipIf(statSync("/dev/shm").dev === statSync(tmpdir()).dev)("layers and work in progress are on one file system", async () => {
    const folder = tempFolder();
    const memory = mkdtempSync("/dev/shm/nspawn-test-");
    onTestFinished(() => rmSync(memory, { recursive: true }));
    const config = testConfig(join(folder, "store"), `[storage]tempdir=${memory}`);
    await expect(ImageStore.open(config.storage, host, ignore)).rejects.toThrow(
      `storage/tempdir (${memory}) and storage/extract (${folder}/store/extract) are on two file systems`,
    );
  });
});

describe("records", () => {
  test("a record is read back, each URL its own: port, host, query and path apart", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    const urls = [
      "https://h/a.tar.gz",
      "https://h:8443/a.tar.gz",
      "http://h/a.tar.gz",
      "http://h:8443/a.tar.gz",
      "https://h/a.tar.gz/b.tar.gz",
      "https://h/a.tar.gz?b.tar.gz",
      "https://h/a.tar.gz/@.json",
      "https://h/A.tar.gz",
      "https://h/default/a.tar.gz",
      "file:///a.tar.gz",
      "file:///localhost/a.tar.gz",
      `https://h/${"x".repeat(300)}`,
      `https://h/${"x".repeat(301)}`,
      `https://h/${"é".repeat(100)}.tar.gz`,
    ];
    for (const [index, url] of urls.entries()) await store.setRecord(ref(url), digest((index % 10).toString()), { etag: String(index) });
    for (const [index, url] of urls.entries()) expect((await store.record(ref(url)))?.validators, url).toEqual({ etag: String(index) });
    expect(await store.record(ref("https://h/other.tar.gz"))).toBeUndefined();
  });

  test.each([
    ["https://h/a/b.tar.gz", "https://h/a//b.tar.gz"],
    ["https://h/a@b.tar.gz", "https://h/a%40b.tar.gz"],
  ])("%s does not get the record of %s", async (one, other) => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    await store.setRecord(ref(other), digest("2"), { etag: "2" });
    expect(await store.record(ref(one))).toBeUndefined();
  });

  test("no URL leads out of the folder of records", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    for (const url of [
      "https://h/../../../../evil.tar.gz",
      "https://h/%2e%2e/%2e%2e/%2e%2e/%2e%2e/evil.tar.gz",
      "https://h/a?/../../../../../../evil",
    ])
      await store.setRecord(ref(url), digest("1"), {});
    expect(readdirSync(folder)).toEqual(["store"]);
    expect(readdirSync(join(folder, "store")).sort()).toEqual(["extract", "lock", "note", "record", "runtime", "tempdir", "writing"]);
  });
});

describe("temporary folders", () => {
  test("one is there as long as its use, also when that fails", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    let seen = "";
    await store.whileTemporary(async (scratch) => {
      seen = scratch;
      expect(existsSync(scratch)).toBe(true);
      writeFileSync(Buffer.concat([Buffer.from(`${scratch}/`), Buffer.from([0xff, 0x0a])]), "");
      mkdirSync(join(scratch, "locked"));
      chmodSync(join(scratch, "locked"), 0);
    });
    expect(existsSync(seen)).toBe(false);
    await expect(
      store.whileTemporary(async (scratch) => {
        seen = scratch;
        throw new Error("on purpose");
      }),
    ).rejects.toThrow("on purpose");
    expect(existsSync(seen)).toBe(false);
  });

  test("one that is kept stays, and no later start removes it", async () => {
    const folder = tempFolder();
    const { storage } = testConfig(join(folder, "store"));
    const store = await ImageStore.open(storage, host, ignore);
    const failing = store.whileKept(async (scratch) => {
      writeFiles(scratch, { a: "" });
      throw new Error(scratch);
    });
    const kept = await failing.catch((error: Error) => error.message);
    await ImageStore.open(storage, host, ignore);
    expect(readdirSync(kept ?? "")).toEqual(["a"]);
  });

  test("folders of dead processes are removed at the next start, those of living ones stay", async () => {
    const folder = tempFolder();
    await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    const child = spawn("sleep", ["60"]);
    try {
      const living = there(processName(there(child.pid)));
      const names = {
        [`${living}-abc`]: true,
        [`${processName()}-abc`]: true,
        // The pid is in use, but by a process that started at another time.
        [`${process.pid}-1-abc`]: false,
        "999999999-5-abc": false,
        nonsense: true,
        "kept-abc": true,
      };
      for (const name of Object.keys(names)) writeFiles(join(folder, "store/tempdir", name), { "a/b": "" });
      await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
      expect(readdirSync(join(folder, "store/tempdir")).sort()).toEqual(
        Object.keys(names)
          .filter((name) => names[name])
          .sort(),
      );
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("the folder of a process that was killed goes with it", async () => {
    const folder = tempFolder();
    await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    const child = spawn("sleep", ["60"]);
    const name = `${processName(there(child.pid))}-abc`;
    mkdirSync(join(folder, "store/tempdir", name));
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
    await ImageStore.open(testConfig(join(folder, "store")).storage, host, ignore);
    expect(readdirSync(join(folder, "store/tempdir"))).toEqual([]);
  });
});
