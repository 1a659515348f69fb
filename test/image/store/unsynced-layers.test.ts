import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
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
const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
const otherBoot = "f0000000-0000-4000-8000-000000000000/1";
const really = 'echo "$*" >> $log; exec /usr/bin/sync "$@"';
const patience = { timeout: 20_000 };

/** A store with ways to see what it has. */
async function openStore() {
  const folder = join(tempFolder(), "store");
  const events: Event[] = [];
  const open = (): Promise<ImageStore> => ImageStore.open(testConfig(folder).storage, new LocalHost(), (event) => void events.push(event));
  const store = await open();
  const mark = join(folder, "extract", `${id}.unsynced`);
  /** Endings of marks. */
  const marks = (): readonly string[] => readdirSync(join(folder, "extract")).flatMap((name) => /\.(.*)$/.exec(name)?.[1] ?? []);
  const isMarked = (): boolean => marks().length > 0;
  /** Brings the layer in as a pull does; its only file says `issue`. */
  const pull = (issue = "x", to = store) =>
    to.whileTemporary(async (scratch) => {
      writeFiles(scratch, { "layer/etc/issue": issue });
      return to.addLayer({ folder: join(scratch, "layer"), digest, bytes: 7, syncsLater: true });
    });
  const issue = (): string => readFileSync(join(folder, "extract", id, "etc/issue"), "utf8");
  /** What a power cut, or any other end of the host, makes of the mark. */
  const endBoot = async (): Promise<void> => {
    await store.unsynced.sync([id]);
    symlinkSync(otherBoot, mark);
  };
  const warnings = (): readonly string[] => events.flatMap((event) => (event.kind === "warning" ? [event.text] : []));
  return { folder, store, open, mark, marks, isMarked, pull, issue, endBoot, warnings };
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
  expect(synced()).toEqual([`--file-system . ${folder}`, "."]);
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
  await other.unsynced.sync([id]);
  expect(isMarked()).toBe(false);
  expect(synced()).toEqual(["--file-system", "."]);
  await other.unsynced.sync([id]);
  expect(synced()).toHaveLength(2);
});

test("what another boot has left is not there, with one warning, and comes in anew", async () => {
  const { store, pull, issue, endBoot, isMarked, warnings } = await openStore();
  await pull("old");
  await endBoot();
  expect([await store.layers.find(digest), await store.layer(digest)]).toEqual([undefined, undefined]);
  expect(warnings()).toEqual([expect.stringContaining(`layer ${id} may not have got to the disk`)]);
  await store.unsynced.sync([]);
  await store.close();
  expect(isMarked()).toBe(true);
  await expect(store.unsynced.sync([id])).rejects.toThrow(`does not take layer ${id}`);
  await pull("new");
  expect(issue()).toBe("new");
  expect(await store.layers.find(digest)).toMatchObject({ digest });
  await store.unsynced.sync([id]);
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

// In the words of sync(1), for a file system on a device that fails.
const refused = `echo >> $log; echo "sync: error syncing '/x': Input/output error" >&2; exit 1`;

test("what the disk does not take is an error for whoever needs it there, and is not there from then on", async () => {
  const synced = replaceSync(refused);
  const { store, marks, pull, issue } = await openStore();
  await pull("old");
  await expect(store.unsynced.sync([id])).rejects.toThrow(/does not take what was pulled: sync: .*Input\/output error/);
  expect(marks()).toEqual(["refused"]);
  expect(await store.layers.find(digest)).toBeUndefined();
  // The kernel does not tell it again.
  const again = replaceSync(really);
  await expect(store.unsynced.sync([id])).rejects.toThrow(`does not take layer ${id}`);
  expect([synced().length, again()]).toEqual([1, []]);
  await pull("new");
  expect([issue(), marks()]).toEqual(["new", ["unsynced"]]);
  await store.unsynced.sync([id]);
  expect([await store.layers.find(digest), marks()]).toEqual([expect.objectContaining({ digest }), []]);
});

test("what another one is told of the disk, that did not take something, counts for all that has come in", async () => {
  replaceSync(refused);
  const { folder, store, marks, pull } = await openStore();
  await pull();
  await expect(store.unsynced.syncFolder(folder)).rejects.toThrow("Input/output error");
  expect([await store.layers.find(digest), marks()]).toEqual([undefined, ["refused"]]);
  replaceSync(really);
  await pull();
  await store.unsynced.refuse();
  expect([await store.layers.find(digest), marks()]).toEqual([undefined, ["refused"]]);
  await pull();
  await store.unsynced.syncFolder(folder);
  expect([await store.layers.find(digest), marks()]).toEqual([expect.objectContaining({ digest }), []]);
});

test("an interrupt, or a sync(1) that was killed, says nothing of the disk", async () => {
  replaceSync("kill -9 $$");
  const { folder, store, marks, pull } = await openStore();
  await pull();
  await expect(store.unsynced.sync([id])).rejects.toThrow("sync failed");
  await expect(store.unsynced.syncFolder(folder)).rejects.toThrow("sync failed");
  expect([await store.layers.find(digest), marks()]).toEqual([expect.objectContaining({ digest }), ["unsynced"]]);
});

test("one that comes while the disk is at work is taken by the same, or the next", async () => {
  const synced = replaceSync('echo "$1" >> $log; sleep 0.3; exec /usr/bin/sync "$@"');
  const { store, open, marks, pull } = await openStore();
  await pull();
  await store.close();
  await expect.poll(() => synced().length, patience).toBeGreaterThan(0);
  const other = await open();
  await other.whileTemporary(async (scratch) => {
    writeFiles(scratch, { "layer/etc/issue": "other" });
    await other.addLayer({
      folder: join(scratch, "layer"),
      digest: digest.replaceAll("a", "b").replace("shb256", "sha256"),
      bytes: 7,
      syncsLater: true,
    });
  });
  await other.close();
  await expect.poll(marks, patience).toEqual([]);
});

test("a mark that says that the disk has it counts as none, until the disk has its end, too", async () => {
  const synced = replaceSync('echo "$1" >> $log; [ "$1" != . ]');
  const { store, marks, pull, issue } = await openStore();
  await pull("whole");
  await expect(store.unsynced.sync([id])).rejects.toThrow("sync failed: exit code 1");
  expect([marks(), synced()]).toEqual([["synced"], ["--file-system", "."]]);
  expect(await store.layers.find(digest)).toMatchObject({ digest });
  await pull("other");
  expect(issue()).toBe("whole");
  const again = replaceSync(really);
  await store.unsynced.sync([id]);
  expect([marks(), again()]).toEqual([[], ["."]]);
});

test("a mark that was made while the disk was at work is another one, which it is at work for again", async () => {
  const { store, mark, marks, pull } = await openStore();
  const synced = replaceSync(`[ -e $log ] || ln -sfn '${boot}/later' '${mark}'; echo "$1" >> $log; exec /usr/bin/sync "$@"`);
  await pull();
  await store.unsynced.sync([id]);
  expect([marks(), synced()]).toEqual([[], ["--file-system", "--file-system", "."]]);
});

test("the end of a session does not end it", async () => {
  const synced = replaceSync("echo $PPID >> $log; sleep 1");
  const { store, isMarked, pull } = await openStore();
  await pull();
  await store.close();
  await expect.poll(() => synced().length, patience).toBe(1);
  const shell = Number(synced()[0]);
  for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"] as const) process.kill(-sessionOf(shell), signal);
  await expect.poll(isMarked, patience).toBe(false);
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

test("stays where it is needed, with its mark", async () => {
  const { store, pull, marks } = await openStore();
  await pull();
  expect(await store.removeLayers([id], async () => new Set([id]))).toEqual([]);
  expect([await store.layers.find(digest), marks()]).toEqual([expect.objectContaining({ digest }), ["unsynced"]]);
});

test("a mark that stands alone, as a kill leaves it, is found and removed, and hinders nobody", async () => {
  const { folder, store, mark, pull, issue } = await openStore();
  symlinkSync(`${boot}/1`, mark);
  expect(await store.layers.names()).toEqual({ described: [], folders: [id], archives: [] });
  await pull("new");
  expect(issue()).toBe("new");
  await store.unsynced.sync([id]);
  symlinkSync(otherBoot, mark);
  writeFileSync(join(folder, "extract", `${"b".repeat(16)}.unsynced`), "");
  await store.removeLayers([id, "b".repeat(16)], nobody);
  expect(left(folder)).toEqual([]);
  symlinkSync(`${boot}/2`, mark);
  await store.unsynced.sync([id]);
  await store.removeLayers([id], nobody);
  expect(left(folder)).toEqual([]);
});

test("a folder that has lost its description, and may be a machine's, is not marked when its digest comes in", async () => {
  const { folder, store, pull, isMarked, issue } = await openStore();
  await pull("whole");
  await store.unsynced.sync([id]);
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
  expect(["0", "1", "2"]).toContain(readFileSync(join(folder, "extract", id, "etc/issue"), "utf8"));
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
