import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { StoreFiles } from "../../../src/image/store/files.js";
import { UrlNotes } from "../../../src/image/store/url-notes.js";
import { tempFolder } from "../../support/temp.js";

type Size = { readonly bytes: number };

let folder: string;
let warnings: string[];
let notes: UrlNotes<Size>;
beforeEach(() => {
  const root = tempFolder();
  folder = join(root, "note/size");
  warnings = [];
  const files = new StoreFiles(root, (event) => warnings.push(event.kind));
  notes = new UrlNotes<Size>(folder, files, ({ bytes }) => typeof bytes === "number");
});

const url = "https://me@example.org/a.tar?x=1#y";

describe("notes of URLs", () => {
  test("are found by their whole URL, and the last one counts", async () => {
    expect(await notes.find(url)).toBeUndefined();
    await notes.set({ url, bytes: 1 });
    await notes.set({ url: `${url}2`, bytes: 2 });
    await notes.set({ url, bytes: 3 });
    expect(await notes.find(url)).toEqual({ url, bytes: 3 });
    expect(await notes.find(`${url}2`)).toEqual({ url: `${url}2`, bytes: 2 });
    expect(await notes.find(url.slice(0, -1))).toBeUndefined();
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test.each(["", "{", "[]", "null", '{"url":"https://me@example.org/a.tar?x=1#y","bytes":"1"}', '{"bytes":1}'])(
    "that say %j count as not there",
    async (text) => {
      await notes.set({ url, bytes: 1 });
      writeFileSync(join(folder, readdirSync(folder)[0] ?? ""), text);
      expect(await notes.find(url)).toBeUndefined();
      expect(warnings).toEqual(["warning"]);
    },
  );

  test("of another URL that has its name in the store is not taken", async () => {
    await notes.set({ url, bytes: 1 });
    writeFileSync(join(folder, readdirSync(folder)[0] ?? ""), '{"url":"https://other.example/","bytes":1}');
    expect(await notes.find(url)).toBeUndefined();
  });

  test("that were of no use for long are told, unless they were just used", async () => {
    const [old, limit] = [new Date(1000), new Date(Date.now() - 60_000)];
    await notes.set({ url, bytes: 1 });
    const [path = ""] = readdirSync(folder).map((name) => join(folder, name));
    expect(await notes.olderThan(limit)).toEqual([]);
    utimesSync(path, old, old);
    expect(await notes.olderThan(limit)).toEqual([path]);
    await notes.touch(url);
    expect(await notes.olderThan(limit)).toEqual([]);
    await notes.touch("https://never.seen/");
    await notes.remove(path);
    expect(await notes.find(url)).toBeUndefined();
    await notes.remove(path);
  });
});
