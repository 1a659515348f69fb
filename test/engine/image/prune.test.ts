import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Event } from "../../../src/base/events.js";
import { lookIntoStore } from "../../../src/engine/image/context.js";
import { previewPrune, pruneStore } from "../../../src/engine/image/prune.js";
import { pullImages } from "../../../src/engine/image/pull.js";
import { removeImages } from "../../../src/engine/image/remove.js";
import { findWaste } from "../../../src/engine/image/waste.js";
import { LocalHost } from "../../../src/host/local.js";
import { ImageStore } from "../../../src/image/store.js";
import { digestOf, layersIn, makeImage } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { writeFiles } from "../../support/files.js";
import { tempFolder } from "../../support/temp.js";

let folder: string;
let store: string;
let events: Event[];

beforeEach(() => {
  folder = tempFolder();
  store = join(folder, "store");
  events = [];
});

const context = (...overrides: readonly string[]) => ({
  host: new LocalHost(),
  config: testConfig(store, ...overrides),
  report: (event: Event): void => void events.push(event),
});
const removed = (): string[] => events.flatMap((event) => (event.kind === "removed" ? [`${event.what} ${event.name}`] : []));
const archive = (name: string): string => join(folder, `${name}.tar.gz`);
const url = (name: string): string => `file://${archive(name)}`;
const idOf = (name: string): string => digestOf(archive(name)).slice(7, 23);
const make = (name: string, parents: readonly (string | { url: string; digest: string })[] = [], text = name): string =>
  makeImage(archive(name), { parents, files: { who: text } });

describe("prune", () => {
  test("removes earlier versions that nothing stands on, and only those", async () => {
    make("base");
    make("child", [{ url: url("base"), digest: digestOf(archive("base")) }]);
    make("other");
    await pullImages(context(), [url("child"), url("other")]);
    const [base, other] = [idOf("base"), idOf("other")];
    for (const name of ["base", "other"]) {
      make(name, [], "new");
      await pullImages(context(), [url(name)]);
    }
    expect((await previewPrune(context())).map(({ kind, name, url }) => [kind, name, url])).toEqual([["layer", other, url("other")]]);
    expect(layersIn(store)).toContain(other);
    await pruneStore(context());
    expect(removed()).toEqual([`layer ${other} (${url("other")})`]);
    expect(layersIn(store).toSorted()).toEqual([base, idOf("base"), idOf("child"), idOf("other")].sort());
    expect(await previewPrune(context())).toEqual([]);
  });

  test("removes records, archives and notes of layers that are gone, and what is damaged", async () => {
    make("one");
    make("two");
    await pullImages(context("[storage]keep_archives=yes"), [url("one"), url("two")]);
    renameSync(join(store, "extract", idOf("one")), join(folder, "gone"));
    writeFiles(store, {
      [`derived/${"0".repeat(64)}`]: `${digestOf(archive("one"))}\n`,
      "archive/0123456789abcdef.tar.gz": "x",
      "record/https/h/default/x/@.json": "{",
    });
    await pruneStore(context());
    expect(removed().sort()).toEqual(
      [
        "archive 0123456789abcdef.tar.gz",
        `archive ${idOf("one")}.tar.gz`,
        `derived ${"0".repeat(64)}`,
        `leftover ${idOf("one")}`,
        `record ${join(store, "record/https/h/default/x/@.json")}`,
        `record ${url("one")}`,
      ].sort(),
    );
    expect(readdirSync(join(store, "layer"))).toEqual([`${idOf("two")}.json`]);
    expect(readdirSync(join(store, "record"))).toEqual(["file"]);
    expect(readdirSync(join(store, "archive"))).toEqual([`${idOf("two")}.tar.gz`]);
    expect(await previewPrune(context())).toEqual([]);
  });

  test("leaves the archive of a layer that came in since it looked, whatever else is waste", async () => {
    const keep = context("[storage]keep_archives=yes");
    const { inventory } = await lookIntoStore(keep);
    make("one");
    await pullImages(keep, [url("one")]);
    const opened = await ImageStore.open(keep.config.storage, keep.host, keep.report);
    const name = `${idOf("one")}.tar.gz`;
    expect((await findWaste(opened, inventory)).map((item) => `${item.kind} ${item.name}`)).toContain(`archive ${name}`);
    expect(await opened.removeArchive(name)).toBe(false);
    expect(readdirSync(join(store, "archive"))).toEqual([name]);
    writeFiles(store, { "archive/0123456789abcdef.tar.gz": "x" });
    expect(await opened.removeArchive("0123456789abcdef.tar.gz")).toBe(true);
    expect(readdirSync(join(store, "archive"))).toEqual([name]);
    await opened.close();
  });

  test.skipIf(statSync("/dev/shm").dev === statSync(tmpdir()).dev)(
    "archives are kept on another disk than layers are made on",
    async () => {
      const memory = mkdtempSync("/dev/shm/nspawn-test-");
      onTestFinished(() => rmSync(memory, { recursive: true }));
      const keep = context("[storage]keep_archives=yes", `[storage]extract=${memory}/layers`, `[storage]tempdir=${memory}/temp`);
      make("one");
      await pullImages(keep, [url("one")]);
      expect(readdirSync(join(store, "archive"))).toEqual([`${idOf("one")}.tar.gz`]);
      expect(readdirSync(join(store, "writing"))).toEqual([]);
    },
  );

  test("removes work folders of dead processes, and those that were kept a week ago", async () => {
    make("one");
    await pullImages(context(), [url("one")]);
    for (const name of ["999999999-5-abc", "kept-old", "kept-new", "kept-older"])
      writeFiles(store, { [`tempdir/${name}/a`]: "x".repeat(5000) });
    for (const name of ["kept-old", "kept-older"]) utimesSync(join(store, "tempdir", name), 1.7e9, 1.7e9);
    const preview = await previewPrune(context());
    expect(preview.map(({ kind, name }) => `${kind} ${name.split("/").at(-1)}`).sort()).toEqual([
      "kept kept-old",
      "kept kept-older",
      "temporary 999999999-5-abc",
    ]);
    for (const { bytes } of preview) expect(bytes).toBeGreaterThanOrEqual(5000);
    await pruneStore(context());
    expect(events.filter(({ kind }) => kind === "acted")).toEqual([]);
    expect(removed().sort()).toEqual(["kept kept-old", "kept kept-older", "temporary 999999999-5-abc"]);
    expect(readdirSync(join(store, "tempdir"))).toEqual(["kept-new"]);
  });

  test("says that there is nothing to do", async () => {
    make("one");
    await pullImages(context(), [url("one")]);
    await pruneStore(context());
    expect(events.filter(({ kind }) => kind === "acted")).toEqual([{ kind: "acted", text: "nothing to remove" }]);
  });

  test("leaves folders of others in the place of layers alone", async () => {
    make("one");
    await pullImages(context(), [url("one")]);
    for (const name of ["python-image", "0123456789abcdef"]) mkdirSync(join(store, "extract", name));
    await pruneStore(context());
    expect(removed()).toEqual(["leftover 0123456789abcdef"]);
    expect(existsSync(join(store, "extract/python-image"))).toBe(true);
  });

  test("of a store that is not there yet finds nothing, and looking makes none", async () => {
    expect(await previewPrune(context())).toEqual([]);
    expect(existsSync(store)).toBe(false);
  });
});

describe("remove", () => {
  test("takes earlier versions along, and archives", async () => {
    const keep = context("[storage]keep_archives=yes");
    make("one");
    await pullImages(keep, [url("one")]);
    make("one", [], "new");
    await pullImages(keep, [url("one")]);
    expect(readdirSync(join(store, "archive"))).toHaveLength(2);
    await removeImages(context(), [url("one")]);
    for (const name of ["extract", "layer", "archive", "record"]) expect(readdirSync(join(store, name)), name).toEqual([]);
  });

  test("leaves no folder of a record, and those that another record needs", async () => {
    make("one");
    make("two");
    await pullImages(context(), [url("one"), url("two")]);
    const records = (): readonly string[] => readdirSync(join(store, "record"), { recursive: true, encoding: "utf8" });
    await removeImages(context(), [url("one")]);
    expect(records().filter((path) => path.endsWith(".tar.gz") || path.endsWith(".json"))).toEqual([
      expect.stringMatching(/two\.tar\.gz$/),
      expect.stringMatching(/two\.tar\.gz\/@\.json$/),
    ]);
    await removeImages(context(), [url("two")]);
    expect(records()).toEqual([]);
  });

  test("refuses what is in use, all of it or nothing, and names who uses it", async () => {
    make("base");
    make("child", [url("base")]);
    make("other");
    await pullImages(context(), [url("child"), url("other")]);
    const user = await ImageStore.open(testConfig(store).storage, new LocalHost(), () => undefined);
    await user.layer(digestOf(archive("other")));
    await expect(removeImages(context(), [url("base"), url("other")])).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(`^${url("base")} is in use by the image ${url("child")}\n${url("other")} is in use by .*\\(process ${process.pid}\\)$`),
      ),
      hint: "nothing was removed",
    });
    expect(layersIn(store)).toHaveLength(3);
    await user.close();
    await removeImages(context(), [url("base"), url("other"), url("child")]);
    expect(layersIn(store)).toEqual([]);
  });

  test("an image that another URL has too is forgotten, and its layer stays", async () => {
    make("one");
    cpSync(archive("one"), archive("same"));
    make("child", [url("same")]);
    await pullImages(context(), [url("one"), url("child")]);
    await removeImages(context(), [url("one")]);
    expect(removed()).toEqual([`image ${url("one")}`]);
    expect(layersIn(store)).toHaveLength(2);
    await expect(removeImages(context(), [url("same")])).rejects.toThrow(`in use by the image ${url("child")}`);
  });

  test("an earlier version goes by its digest alone, unless an image stands on it", async () => {
    make("base");
    const digest = digestOf(archive("base"));
    make("child", [{ url: url("base"), digest }]);
    await pullImages(context(), [url("child")]);
    make("base", [], "new");
    await pullImages(context(), [url("base")]);
    await expect(removeImages(context(), [digest])).rejects.toThrow(`${digest} is in use by the image ${url("child")}`);
    await removeImages(context(), [url("child")]);
    events = [];
    await removeImages(context(), [digest]);
    expect(removed()).toEqual([`layer ${digest}`]);
    expect(layersIn(store)).toEqual([idOf("base")]);
  });

  test("the newest version goes by its digest while a child stands on an earlier one, which its URL stands for then", async () => {
    make("base");
    const [first, firstId] = [digestOf(archive("base")), idOf("base")];
    make("child", [{ url: url("base"), digest: first }]);
    await pullImages(context(), [url("child")]);
    make("base", [], "new");
    const second = digestOf(archive("base"));
    await pullImages(context(), [url("base")]);
    await expect(removeImages(context(), [url("base")])).rejects.toThrow(`${url("base")} is in use by the image ${url("child")}`);
    events = [];
    await removeImages(context(), [second.slice(7, 19)]);
    expect(removed()).toEqual([`layer ${second}`]);
    expect(layersIn(store).toSorted()).toEqual([firstId, idOf("child")].sort());
    const { inventory } = await lookIntoStore(context());
    expect(inventory.images.find((image) => image.url === url("base"))).toMatchObject({ digest: first, history: [first], validators: {} });
    // Nothing tells that the URL still has that: the next pull looks.
    await pullImages(context(), [url("base")]);
    expect(layersIn(store)).toHaveLength(3);
  });

  test("the newest version goes with its URL where only another URL has the earlier one", async () => {
    make("one");
    cpSync(archive("one"), archive("same"));
    await pullImages(context(), [url("one"), url("same")]);
    make("one", [], "new");
    await pullImages(context(), [url("one")]);
    await removeImages(context(), [digestOf(archive("one"))]);
    expect(removed()).toEqual([`image ${url("one")}`, `layer ${digestOf(archive("one"))}`]);
    expect(layersIn(store)).toEqual([idOf("same")]);
  });

  test("a digest takes all URLs along that stand for it", async () => {
    make("one");
    await pullImages(context(), [url("one")]);
    await removeImages(context(), [digestOf(archive("one")).slice(7, 19)]);
    expect(removed()).toEqual([`image ${url("one")}`, `layer ${digestOf(archive("one"))}`]);
  });
});
