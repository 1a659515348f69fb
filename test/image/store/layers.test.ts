import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalHost } from "../../../src/host/local.js";
import { ImageStore } from "../../../src/image/store.js";
import { testConfig } from "../../support/config.js";
import { writeFiles } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

const host = new LocalHost();
const digest = `sha256:${"a".repeat(64)}`;
const id = "a".repeat(16);

async function openStores(
  count: number,
): Promise<{ readonly folder: string; readonly stores: readonly ImageStore[]; add(): Promise<void> }> {
  const folder = tempFolder();
  const open = (): Promise<ImageStore> => ImageStore.open(testConfig(join(folder, "store")).storage, host, () => undefined);
  const stores = await Promise.all(Array.from({ length: count }, open));
  const add = async (): Promise<void> => {
    const adder = await open();
    await adder.whileTemporary(async (scratch) => {
      writeFiles(scratch, { "layer/etc/issue": "x" });
      await adder.addLayer({ folder: join(scratch, "layer"), digest, bytes: 7 });
    });
    await adder.close();
  };
  await add();
  return { folder: join(folder, "store"), stores, add };
}

/** What prune asks when a layer cannot be found any more. */
const claimed = (store: ImageStore) => async (): Promise<ReadonlySet<string>> => new Set((await store.claims()).map(({ layer }) => layer));

describe("removing a layer", () => {
  test("takes its folder and its description, and leaves nothing else behind", async () => {
    const { folder, stores } = await openStores(1);
    const [store] = stores as [ImageStore];
    expect(await store.removeLayers([id], claimed(store))).toEqual([id]);
    for (const name of ["extract", "layer", "tempdir", "writing"]) expect(readdirSync(join(folder, name)), name).toEqual([]);
    expect(await store.layer(digest)).toBeUndefined();
  });

  test("nobody finds it while it is asked who needs it, and what is needed is put back as it was", async () => {
    const { stores } = await openStores(2);
    const [store, other] = stores as [ImageStore, ImageStore];
    const before = await store.layers.description(id);
    const gone = await store.removeLayers([id], async () => {
      expect(await other.layers.find(digest)).toBeUndefined();
      return new Set([id]);
    });
    expect(gone).toEqual([]);
    expect(await store.layers.description(id)).toEqual(before);
    await expect(store.removeLayers([id], () => Promise.reject(new Error("on purpose")))).rejects.toThrow("on purpose");
    expect(await store.layers.find(digest)).toBeDefined();
  });

  test("leaves a layer that somebody has found, until that one closes the store", async () => {
    const { stores } = await openStores(2);
    const [store, other] = stores as [ImageStore, ImageStore];
    expect(await other.layer(digest)).toBeDefined();
    expect(await store.claims()).toEqual([{ layer: id, pid: process.pid }]);
    expect(await store.removeLayers([id], claimed(store))).toEqual([]);
    await other.close();
    expect(await store.removeLayers([id], claimed(store))).toEqual([id]);
  });

  test("beside others that look for it and add it, never takes what one of them has found", async () => {
    const { stores, add } = await openStores(3);
    const [store, one, two] = stores as [ImageStore, ImageStore, ImageStore];
    let found = 0;
    for (let round = 0; round < 40; round++) {
      const soon = (): Promise<void> => new Promise((done) => setTimeout(done, Math.random() * 4));
      const look = async (finder: ImageStore): Promise<void> => {
        await soon();
        const layer = await finder.layer(digest);
        if (!layer) return;
        found++;
        await new Promise((done) => setTimeout(done, Math.random() * 25));
        expect(existsSync(join(layer.folder, "etc/issue"))).toBe(true);
        await finder.close();
      };
      // Others come while it is at work, too.
      const needed = async (): Promise<ReadonlySet<string>> => {
        await soon();
        return claimed(store)();
      };
      const remove = soon().then(() => store.removeLayers([id], needed));
      await Promise.all([look(one), look(two), remove, round % 2 === 0 ? add() : undefined]);
      await Promise.all([one.close(), two.close()]);
    }
    expect(found).toBeGreaterThan(10);
  });
});

test("a folder that lost its description becomes the layer again when that digest comes in, and is not replaced", async () => {
  const { folder, stores, add } = await openStores(1);
  const [store] = stores as [ImageStore];
  writeFileSync(join(folder, "layer", `${id}.json`), '{"digest": "sha256:');
  writeFileSync(join(folder, "extract", id, "mark"), "");
  expect(await store.layer(digest)).toBeUndefined();
  await add();
  expect(existsSync(join((await store.layer(digest))?.folder ?? "", "mark"))).toBe(true);
});

test("what it takes on disk is known, and when it came", async () => {
  const { stores } = await openStores(1);
  const [store] = stores as [ImageStore];
  const { extracted = 0, time = "" } = (await store.layers.description(id)) ?? {};
  expect(extracted).toBeGreaterThan(0);
  expect(extracted).toBe(await store.layers.measure(id));
  expect(Math.abs(Date.now() - Date.parse(time))).toBeLessThan(60_000);
});

test("names are told apart from what others have put there", async () => {
  const { folder, stores } = await openStores(1);
  const [store] = stores as [ImageStore];
  for (const name of ["python-image", "0123456789abcde", "ABCDEFABCDEFABCD"]) mkdirSync(join(folder, "extract", name));
  writeFiles(folder, { "archive/0123456789abcdef.tar.gz": "", "archive/mine.tar.gz": "" });
  expect(await store.layers.names()).toEqual({ described: [id], folders: [id], archives: ["0123456789abcdef.tar.gz"] });
});
