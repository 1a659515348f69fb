import { existsSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { DigestNotes } from "../../../src/image/store/digest-notes.js";
import { StoreFiles } from "../../../src/image/store/files.js";
import { tempFolder } from "../../support/temp.js";

const [key, digest] = ["a".repeat(64), "b".repeat(64)];
let folder: string;

beforeEach(() => {
  folder = tempFolder();
});

const open = (): DigestNotes => new DigestNotes(join(folder, "render"), new StoreFiles(folder, () => undefined));

async function saved(): Promise<string> {
  const notes = open();
  notes.note(key, digest);
  await notes.save();
  return join(folder, "render", key);
}

test("what is noted is found at once, and by others when it is saved", async () => {
  const notes = open();
  notes.note(key, digest);
  expect(notes.find(key)).toBe(digest);
  expect(open().find(key)).toBeUndefined();
  await notes.save();
  expect(notes.find(key)).toBe(digest);
  expect(open().find(key)).toBe(digest);
  expect(open().find("c".repeat(64))).toBeUndefined();
});

test("who changes nothing finds what is saved, and neither notes anything nor says that it was of use", async () => {
  const path = await saved();
  const old = new Date(Date.now() - 9 * 24 * 3600 * 1000);
  utimesSync(path, old, old);
  const notes = open();
  expect(notes.known.find(key)).toBe(digest);
  expect(notes.known.find("c".repeat(64))).toBeUndefined();
  notes.known.note("c".repeat(64), digest);
  await notes.save();
  expect(notes.find("c".repeat(64))).toBeUndefined();
  expect(Math.round(statSync(path).mtimeMs)).toBe(old.getTime());
});

test.each(["", "b", `${digest}c`, "B".repeat(64)])("one that says %j counts as not there, and is written anew", async (content) => {
  const path = await saved();
  writeFileSync(path, content);
  expect(open().find(key)).toBeUndefined();
  await saved();
  expect(open().find(key)).toBe(digest);
});

test("where nothing can be written, nothing is noted", async () => {
  writeFileSync(join(folder, "writing"), "a file in the place of a folder");
  expect(existsSync(await saved())).toBe(false);
});

test("those that were of no use for long are told, and can be removed; one that is found is of use", async () => {
  const path = await saved();
  const now = Date.now();
  const days = (count: number): Date => new Date(now - count * 24 * 3600 * 1000);
  expect(await open().olderThan(days(1))).toEqual([]);
  utimesSync(path, days(9), days(9));
  expect(await open().olderThan(days(8))).toEqual([path]);
  open().find(key);
  expect(await open().olderThan(days(8))).toEqual([]);
  expect(statSync(path).mtimeMs).toBeGreaterThan(days(1).getTime());
  await open().remove(path);
  expect(existsSync(path)).toBe(false);
  expect(await open().olderThan(days(0))).toEqual([]);
});
