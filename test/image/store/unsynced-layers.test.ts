import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../../src/base/events.js";
import { LocalHost } from "../../../src/host/local.js";
import { ImageStore } from "../../../src/image/store.js";
import { testConfig } from "../../support/config.js";
import { writeFiles } from "../../support/files.js";
import { replaceSync } from "../../support/replace-sync.js";
import { tempFolder } from "../../support/temp.js";

const digest = `sha256:${"a".repeat(64)}`;
const id = "a".repeat(16);
const really = 'echo "$*" >> $log; exec /usr/bin/sync "$@"';
const patience = { timeout: 20_000 };

/** A store with ways to see what it has. */
async function openStore() {
  const folder = join(tempFolder(), "store");
  const events: Event[] = [];
  const open = (): Promise<ImageStore> => ImageStore.open(testConfig(folder).storage, new LocalHost(), (event) => void events.push(event));
  const store = await open();
  const mark = join(folder, "extract", `${id}.unsynced`);
  const isMarked = (): boolean => lstatSync(mark, { throwIfNoEntry: false }) !== undefined;
  /** Brings the layer in as a pull does; its only file says `issue`. */
  const pull = (issue = "x", to = store) =>
    to.whileTemporary(async (scratch) => {
      writeFiles(scratch, { "layer/etc/issue": issue });
      return to.addLayer({ folder: join(scratch, "layer"), digest, bytes: 7, syncsLater: true });
    });
  const issue = (): string => readFileSync(join(folder, "extract", id, "etc/issue"), "utf8");
  /** What a power cut, or any other end of the host, makes of the mark. */
  const endBoot = async (): Promise<void> => {
    await store.layers.settle([id]);
    symlinkSync("f0000000-0000-4000-8000-000000000000", mark);
  };
  const warnings = (): readonly string[] => events.flatMap((event) => (event.kind === "warning" ? [event.text] : []));
  return { folder, store, open, mark, isMarked, pull, issue, endBoot, warnings };
}

const nobody = async (): Promise<ReadonlySet<string>> => new Set();

/** All that a store has of layers. */
const left = (folder: string): readonly string[] =>
  ["extract", "layer", "tempdir", "writing"].flatMap((name) => readdirSync(join(folder, name)));

test("a layer that comes in is there at once, and on the disk when whoever brought it has ended", async () => {
  const synced = replaceSync(really);
  const { folder, store, isMarked, pull } = await openStore();
  await pull();
  expect(await store.layers.find(digest)).toMatchObject({ digest });
  expect([isMarked(), synced()]).toEqual([true, []]);
  await store.close();
  await expect.poll(isMarked, patience).toBe(false);
  await expect.poll(synced, patience).toEqual([`--file-system ${join(folder, "extract")} ${folder}`, "."]);
  expect(await store.layers.find(digest)).toMatchObject({ digest });
});

test("nobody waits for the disk at the end, and another one begins again should that be killed", async () => {
  const synced = replaceSync("echo $PPID >> $log; sleep 60");
  const { store, open, isMarked, pull } = await openStore();
  await pull();
  const began = performance.now();
  await store.close();
  expect(performance.now() - began).toBeLessThan(5000);
  await expect.poll(() => synced().length, patience).toBe(1);
  process.kill(-sessionOf(Number(synced()[0])), "SIGKILL");
  expect(isMarked()).toBe(true);
  replaceSync(really);
  await (await open()).close();
  await expect.poll(isMarked, patience).toBe(false);
});

test("whoever needs it on the disk waits for that, also where it has begun, and syncs nothing twice", async () => {
  const synced = replaceSync('echo "$1" >> $log; [ "$1" = . ] || sleep 1');
  const { store, open, isMarked, pull } = await openStore();
  await pull();
  await store.close();
  const other = await open();
  await other.layers.settle([id]);
  expect(isMarked()).toBe(false);
  expect(synced()).toEqual(["--file-system", "."]);
  await other.layers.settle([id]);
  expect(synced()).toHaveLength(2);
});

test("what another boot has left is not there, with one warning, and comes in anew", async () => {
  const { store, pull, issue, endBoot, isMarked, warnings } = await openStore();
  await pull("old");
  await endBoot();
  expect([await store.layers.find(digest), await store.layer(digest)]).toEqual([undefined, undefined]);
  expect(warnings()).toEqual([expect.stringContaining(`layer ${id} may not have been on the disk yet`)]);
  await store.layers.settle([]);
  await store.close();
  expect(isMarked()).toBe(true);
  await pull("new");
  expect(issue()).toBe("new");
  expect(await store.layers.find(digest)).toMatchObject({ digest });
  await store.layers.settle([id]);
  expect(isMarked()).toBe(false);
});

test("a layer that was synced first takes the place of what another boot has left", async () => {
  const { store, pull, issue, endBoot, isMarked } = await openStore();
  await pull("old");
  await endBoot();
  await store.whileTemporary(async (scratch) => {
    writeFiles(scratch, { "layer/etc/issue": "new" });
    await store.addLayer({ folder: join(scratch, "layer"), digest, bytes: 7 });
  });
  expect([issue(), isMarked()]).toEqual(["new", false]);
});

test("what the disk does not take is an error for whoever needs it there, and is not there from then on", async () => {
  const synced = replaceSync(`echo >> $log; echo "sync: error syncing '/x': Input/output error" >&2; exit 1`);
  const { store, pull, issue } = await openStore();
  await pull("old");
  await expect(store.layers.settle([id])).rejects.toMatchObject({ output: expect.stringContaining("Input/output error") });
  expect(synced()).toHaveLength(1);
  expect(await store.layers.find(digest)).toBeUndefined();
  // The kernel does not tell it again.
  replaceSync(really);
  await expect(store.layers.settle([id])).rejects.toThrow(`did not take the layer ${id}`);
  await pull("new");
  expect(issue()).toBe("new");
  await store.layers.settle([id]);
  expect(await store.layers.find(digest)).toMatchObject({ digest });
});

test("is removed like any other, right after it came and when another boot has left it", async () => {
  const { folder, store, pull, endBoot } = await openStore();
  await pull();
  expect(await store.removeLayers([id], nobody)).toEqual([id]);
  expect(left(folder)).toEqual([]);
  await pull();
  await endBoot();
  expect(await store.layers.names()).toEqual({ described: [id], folders: [id], archives: [] });
  expect(await store.removeLayers([id], nobody)).toEqual([id]);
  expect(left(folder)).toEqual([]);
});

test("stays where it is needed, and stays marked where it has come in just now", async () => {
  const { store, pull, isMarked } = await openStore();
  await pull();
  expect(await store.removeLayers([id], async () => new Set([id]))).toEqual([]);
  expect([await store.layers.find(digest), isMarked()]).toEqual([expect.objectContaining({ digest }), false]);
});

test("a mark that stands alone, as a kill leaves it, is found and removed, and hinders nobody", async () => {
  const { folder, store, mark, pull, issue } = await openStore();
  symlinkSync(readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(), mark);
  expect(await store.layers.names()).toEqual({ described: [], folders: [id], archives: [] });
  // Nobody knows whether anything will come: so that is not waited for.
  await store.layers.settleLater();
  await pull("new");
  expect(issue()).toBe("new");
  await store.layers.settle([id]);
  symlinkSync("f0000000-0000-4000-8000-000000000000", mark);
  await store.removeLayers([id], nobody);
  expect(left(folder)).toEqual([]);
});

test("a folder that has lost its description, and may be a machine's, is not marked when its digest comes in", async () => {
  const { folder, store, pull, isMarked, issue } = await openStore();
  await pull("whole");
  await store.layers.settle([id]);
  writeFileSync(join(folder, "layer", `${id}.json`), "");
  await pull("again");
  expect([issue(), isMarked()]).toEqual(["whole", false]);
});

test("of several that bring the same one, each gets it, and it stays as the first has brought it", async () => {
  const { folder, open, pull } = await openStore();
  const stores = await Promise.all([open(), open(), open()]);
  const layers = await Promise.all(stores.map((store, index) => pull(String(index), store)));
  expect(new Set(layers.map((layer) => layer.folder))).toEqual(new Set([join(folder, "extract", id)]));
  await Promise.all(stores.map((store) => store.close()));
  expect(existsSync(join(folder, "extract", id, "etc/issue"))).toBe(true);
  expect(readdirSync(join(folder, "tempdir"))).toEqual([]);
});

/** The session of a process: field 6 of proc_pid_stat(5). */
function sessionOf(pid: number): number {
  return Number(
    readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /, "")
      .split(" ")[3],
  );
}
