import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { StoreFiles } from "../../../src/image/store/files.js";
import { Records } from "../../../src/image/store/records.js";
import { ref } from "../../support/archive.js";
import { tempFolder } from "../../support/temp.js";

let root: string;
let records: Records;

beforeEach(() => {
  root = tempFolder();
  records = new Records(root, new StoreFiles(root, () => undefined));
});

const digest = (char: string): string => `sha256:${char.repeat(64)}`;
const image = (path: string) => ref(`https://example.org/${path}.tar.gz`);

describe("records", () => {
  test("leave no empty folder when they are removed", async () => {
    await records.set(image("a/b/one"), digest("1"), {});
    await records.set(image("a/two"), digest("2"), {});
    await records.remove(image("a/b/one"));
    expect(readdirSync(join(root, "record/https/example.org/default/a"))).toEqual(["two.tar.gz"]);
    await records.remove(image("a/two"));
    await records.remove(image("a/two"));
    expect(readdirSync(join(root, "record"))).toEqual([]);
  });

  test("of an image below another's stay", async () => {
    await records.set(ref("https://example.org/a"), digest("1"), {});
    await records.set(ref("https://example.org/a/b.tar"), digest("2"), {});
    await records.remove(ref("https://example.org/a"));
    expect((await records.all()).records.map(({ url }) => url)).toEqual(["https://example.org/a/b.tar"]);
  });

  test("appear whole while others beside them go, and one that stays is always seen", async () => {
    await records.set(image("a/stays"), digest("0"), {});
    const churn = async (name: string): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await records.set(image(`a/deep/folder/${name}`), digest("1"), {});
        await records.remove(image(`a/deep/folder/${name}`));
      }
    };
    let working = true;
    const seen: number[] = [];
    const look = async (): Promise<void> => {
      while (working) {
        const found = (await records.all()).records;
        seen.push(found.filter(({ digest: one }) => one === digest("0")).length);
      }
    };
    const looking = look();
    await Promise.all(["one", "two", "three"].map(churn));
    working = false;
    await looking;
    expect(seen.length).toBeGreaterThan(5);
    expect(new Set(seen)).toEqual(new Set([1]));
    expect(existsSync(join(root, "record/https/example.org/default/a/deep"))).toBe(false);
  });

  test("stand for an earlier version when the last one is retracted, without a word of whether the URL still has it", async () => {
    const one = image("one");
    for (const char of ["1", "2", "3"]) await records.set(one, digest(char), { etag: char });
    await records.retract(one, digest("2"), digest("1"));
    expect(await records.find(one)).toMatchObject({ digest: digest("3"), validators: { etag: "3" } });
    await records.retract(one, digest("3"), digest("1"));
    expect(await records.find(one)).toMatchObject({ digest: digest("1"), validators: {}, history: ["1", "2"].map(digest) });
  });
});
