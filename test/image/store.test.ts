import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import { processName } from "../../src/host/process-id.js";
import { ImageStore } from "../../src/image/store.js";
import { ref } from "../support/archive.js";
import { there, writeFiles } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const host = new LocalHost();
const digest = (char: string): string => `sha256:${char.repeat(64)}`;

describe("layers", () => {
  test("a folder becomes a layer under the start of its digest", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    const layer = await store.whileTemporary(async (scratch) => {
      writeFiles(scratch, { "layer/etc/issue": "x" });
      return store.addLayer(join(scratch, "layer"), digest("a"), 7);
    });
    expect(layer).toEqual({ id: "a".repeat(16), folder: join(folder, "store/extract", "a".repeat(16)), digest: digest("a"), bytes: 7 });
    expect(readFileSync(join(layer.folder, "etc/issue"), "utf8")).toBe("x");
    expect(await store.layer(digest("a"))).toEqual(layer);
    expect(await store.layer(digest("b"))).toBeUndefined();
  });

  test("a layer that is there stays, whatever comes under its digest", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    writeFiles(folder, { "one/who": "one", "two/who": "two" });
    await store.addLayer(join(folder, "one"), digest("a"), 1);
    const layer = await store.addLayer(join(folder, "two"), digest("a"), 1);
    expect(readFileSync(join(layer.folder, "who"), "utf8")).toBe("one");
  });

  test("several that add one layer at once all have it", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    const names = ["one", "two", "three", "four"];
    for (const name of names) writeFiles(folder, { [`${name}/who`]: "same" });
    const layers = await Promise.all(names.map((name) => store.addLayer(join(folder, name), digest("a"), 1)));
    for (const layer of layers) expect(layer).toEqual(layers[0]);
    expect(readFileSync(join(there(layers[0]).folder, "who"), "utf8")).toBe("same");
  });

  test("a folder without its description, or a description without its folder, is no layer", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    mkdirSync(join(folder, "store/extract", "a".repeat(16)));
    writeFileSync(join(folder, "store/extract", `${"b".repeat(16)}.json`), JSON.stringify({ digest: digest("b"), bytes: 1 }));
    expect(await store.layer(digest("a"))).toBeUndefined();
    expect(await store.layer(digest("b"))).toBeUndefined();
  });

  test("an empty folder that a power cut left under the layer's name is not taken for the layer", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    mkdirSync(join(folder, "store/extract", "a".repeat(16)));
    writeFiles(folder, { "one/who": "one" });
    const layer = await store.addLayer(join(folder, "one"), digest("a"), 1);
    expect(readdirSync(layer.folder)).toEqual(["who"]);
  });

  test("two digests that begin alike are told apart", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    mkdirSync(join(folder, "one"));
    await store.addLayer(join(folder, "one"), digest("a"), 1);
    await expect(store.layer(`sha256:${"a".repeat(16)}${"b".repeat(48)}`)).rejects.toThrow(/two layers share the id/);
  });

  test("users of the host cannot look into layers", async () => {
    const folder = tempFolder();
    await ImageStore.open(join(folder, "store"), host);
    for (const name of ["extract", "tempdir", "runtime"]) expect(statSync(join(folder, "store", name)).mode & 0o777, name).toBe(0o700);
  });
});

describe("records", () => {
  test("a record is read back, each URL its own: port, host, query and path apart", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
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
    const store = await ImageStore.open(join(folder, "store"), host);
    await store.setRecord(ref(other), digest("2"), { etag: "2" });
    expect(await store.record(ref(one))).toBeUndefined();
  });

  test("no URL leads out of the folder of records", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
    for (const url of [
      "https://h/../../../../evil.tar.gz",
      "https://h/%2e%2e/%2e%2e/%2e%2e/%2e%2e/evil.tar.gz",
      "https://h/a?/../../../../../../evil",
    ])
      await store.setRecord(ref(url), digest("1"), {});
    expect(readdirSync(folder)).toEqual(["store"]);
    expect(readdirSync(join(folder, "store")).sort()).toEqual(["extract", "lock", "record", "runtime", "tempdir"]);
  });
});

describe("temporary folders", () => {
  test("one is there as long as its use, also when that fails", async () => {
    const folder = tempFolder();
    const store = await ImageStore.open(join(folder, "store"), host);
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

  test("folders of dead processes are removed at the next start, those of living ones stay", async () => {
    const folder = tempFolder();
    await ImageStore.open(join(folder, "store"), host);
    const child = spawn("sleep", ["60"]);
    try {
      const living = there(processName(there(child.pid)));
      const names = {
        [`${living}-abc`]: true,
        [`${processName()}-abc`]: true,
        // The pid is in use, but by a process that started at another time.
        [`${process.pid}-1-abc`]: false,
        "999999999-5-abc": false,
        nonsense: false,
      };
      for (const name of Object.keys(names)) writeFiles(join(folder, "store/tempdir", name), { "a/b": "" });
      await ImageStore.open(join(folder, "store"), host);
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
    await ImageStore.open(join(folder, "store"), host);
    const child = spawn("sleep", ["60"]);
    const name = `${processName(there(child.pid))}-abc`;
    mkdirSync(join(folder, "store/tempdir", name));
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await ended;
    await ImageStore.open(join(folder, "store"), host);
    expect(readdirSync(join(folder, "store/tempdir"))).toEqual([]);
  });
});
