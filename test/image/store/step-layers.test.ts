import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { LocalHost } from "../../../src/host/local.js";
import { ImageStore } from "../../../src/image/store.js";
import { testConfig } from "../../support/config.js";
import { writeFiles } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

const host = new LocalHost();
const key = "a".repeat(64);
const other = `${"a".repeat(32)}${"b".repeat(32)}`;

let root: string;
const open = (): Promise<ImageStore> => ImageStore.open(testConfig(root).storage, host, () => undefined);
beforeEach(() => {
  root = join(tempFolder(), "store");
});

let made = 0;
/** A new layer, taken in by a store. */
async function take(store: ImageStore) {
  const folder = join(root, "tempdir", String(made++));
  writeFiles(folder, { "etc/issue": "x".repeat(10_000) });
  return store.steps.take(folder);
}

const ids = async (store: ImageStore): Promise<readonly string[]> => (await store.steps.all()).map(({ id }) => id);

describe("the step cache", () => {
  test("has what was kept, as it was, and nothing by another key that begins alike", async () => {
    const store = await open();
    const layer = await take(store);
    expect(layer.folder).toBe(join(root, "extract/step", layer.id));
    expect(await store.steps.find(key)).toBeUndefined();
    await store.steps.keep(key, layer);
    expect(await store.steps.find(key)).toEqual(layer);
    expect(await store.steps.find(other)).toBeUndefined();
    expect(await store.steps.isWhole(key, layer)).toBe(true);
    const [entry] = await store.steps.all();
    expect(entry?.bytes).toBeGreaterThanOrEqual(10_000);
    await store.close();
  });

  test("remembers that a step changed nothing, without a folder", async () => {
    const store = await open();
    const layer = await store.steps.take(undefined);
    await store.steps.keep(key, layer);
    expect(await store.steps.find(key)).toEqual({ id: layer.id, folder: undefined });
    expect(await store.steps.isWhole(key, layer)).toBe(true);
    expect(existsSync(join(root, "extract/step"))).toBe(false);
    await store.close();
  });

  test("notices what was changed, replaced by another, or is gone", async () => {
    const store = await open();
    const layer = await take(store);
    await store.steps.keep(key, layer);
    writeFileSync(join(layer.folder ?? "", "etc/issue"), "y".repeat(10_000));
    expect(await store.steps.isWhole(key, layer)).toBe(false);
    const next = await take(store);
    await store.steps.keep(key, next);
    expect(await store.steps.isWhole(key, layer)).toBe(false);
    expect(await store.steps.isWhole(key, next)).toBe(true);
    rmSync(next.folder ?? "", { recursive: true });
    expect(await store.steps.find(key)).toBeUndefined();
    expect(await store.steps.isWhole(key, next)).toBe(false);
    await store.steps.forget(key);
    await store.steps.forget(key);
    expect(await ids(store)).toEqual([]);
    await store.close();
  });

  test("does not take away what another process uses; what this one uses alone, it does", async () => {
    const [one, two] = [await open(), await open()];
    const layer = await take(one);
    await one.steps.keep(key, layer);
    await two.steps.find(key);
    expect(await one.removeSteps(await one.steps.all())).toEqual([]);
    expect(await one.steps.find(key)).toEqual(layer);
    await two.close();
    expect((await one.removeSteps(await one.steps.all())).map(({ id }) => id)).toEqual([layer.id]);
    expect(readdirSync(join(root, "extract/step"))).toEqual([]);
    expect(await one.steps.find(key)).toBeUndefined();
    await one.close();
  });

  test("does not take away what was found, or made anew, since it was looked at", async () => {
    const [one, two] = [await open(), await open()];
    const path = (): string => join(root, "step", readdirSync(join(root, "step"))[0] ?? "");
    await one.steps.keep(key, await take(one));
    utimesSync(path(), 1000, 1000);
    const before = await one.steps.all();
    await two.steps.find(key);
    await two.close();
    expect(await one.removeSteps(before)).toEqual([]);
    const used = await one.steps.all();
    const other = await open();
    const next = await take(other);
    await other.steps.keep(key, next);
    utimesSync(path(), used[0]?.used ?? 0, used[0]?.used ?? 0);
    await other.close();
    expect(await one.removeSteps(used)).toEqual([]);
    expect(await one.steps.find(key)).toEqual(next);
    expect(readdirSync(join(root, "writing"))).toEqual([]);
    await one.close();
  });

  test("a description that was damaged, and is right by now, stays", async () => {
    const store = await open();
    await store.steps.keep(key, await take(store));
    const path = join(root, "step", readdirSync(join(root, "step"))[0] ?? "");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, "{");
    const { leftovers } = await store.steps.survey();
    expect(leftovers.descriptions).toEqual([path]);
    writeFileSync(path, text);
    await store.steps.removeDamaged(leftovers.descriptions);
    expect(await store.steps.find(key)).toBeDefined();
    await store.close();
  });

  test("knows when a step was last used", async () => {
    const store = await open();
    await store.steps.keep(key, await take(store));
    const path = join(root, "step", readdirSync(join(root, "step"))[0] ?? "");
    utimesSync(path, 1000, 1000);
    expect((await store.steps.all())[0]?.used).toEqual(new Date(1_000_000));
    await store.steps.find(key);
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
    await store.close();
  });

  test("tells what killed builds have left, and damaged descriptions, but not what a build works with", async () => {
    const [building, killed] = [await open(), await open()];
    await take(building);
    const left = await take(killed);
    await killed.close();
    writeFileSync(join(root, "nothing"), "");
    await building.steps.keep(other, await building.steps.take(undefined));
    const path = join(root, "step", readdirSync(join(root, "step"))[0] ?? "");
    writeFileSync(path, "{");
    const store = await open();
    expect(await store.steps.surplus()).toBe(1);
    const { leftovers } = await store.steps.survey();
    expect(leftovers).toEqual({ folders: [left.folder], descriptions: [path] });
    await store.removeStepLeftovers(leftovers);
    expect((await store.steps.survey()).leftovers).toEqual({ folders: [], descriptions: [] });
    for (const opened of [store, building]) await opened.close();
  });
});
