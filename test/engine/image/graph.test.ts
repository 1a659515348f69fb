import { expect, test } from "vitest";
import { imageGraph as graphOf, type ImageGraph } from "../../../src/engine/image/graph.js";
import { type Inventory, imageOf } from "../../../src/image/inventory.js";
import { digest, image, inventory, layer, url } from "../../support/inventory.js";

const names = (urls: readonly string[]): readonly string[] => urls.map((one) => one.replace(/^.*\/(.*)\.tar\.gz$/, "$1"));

/** URLs have what the store has seen last. */
const imageGraph = (all: Inventory, words: readonly string[]): Promise<ImageGraph> =>
  graphOf(all, words, async (image, digest) => imageOf(all, image)?.digest !== digest);

const diamond = inventory(
  ["top", "left", "right", "base", "alone"].map((name) => image(name, name)),
  [
    layer("top", "left", "right"),
    layer("left", ["base", "base"]),
    layer("right", ["base", "base-0"]),
    layer("base", "gone"),
    layer("alone"),
  ],
);

test("begins with the images that nothing stands on, and has what is missing", async () => {
  const { roots, nodes } = await imageGraph(diamond, []);
  expect(names(roots)).toEqual(["alone", "top"]);
  expect(names([...nodes.keys()])).toEqual(["alone", "base", "gone", "left", "right", "top"]);
  expect(nodes.get(url("gone"))).toEqual({
    id: url("gone"),
    url: url("gone"),
    digest: undefined,
    bytes: undefined,
    parents: [],
  });
  expect(nodes.get(url("top"))?.digest).toBe(digest("top"));
});

test("knows which parents have moved on since their child was built", async () => {
  const { nodes } = await imageGraph(diamond, []);
  expect(nodes.get(url("left"))?.parents).toEqual([{ id: url("base"), builtOn: digest("base"), movedOn: false, newer: undefined }]);
  // The version that it was built on is gone.
  expect(nodes.get(url("right"))?.parents).toEqual([{ id: url("base"), builtOn: digest("base-0"), movedOn: true, newer: digest("base") }]);
});

const pinned = inventory(
  [image("child", "child"), image("base", "base-1", "base-2"), image("old", "old")],
  [layer("child", ["base", "base-1"]), layer("base-1", "old"), layer("base-2"), layer("old")],
);
const earlier = `${url("base")}@${digest("base-1")}`;

test("has the version of a parent that is really used, with what that stands on, beside the one that its URL has now", async () => {
  const { roots, nodes } = await imageGraph(pinned, []);
  expect(roots).toEqual([url("base"), url("child")]);
  expect(nodes.get(url("child"))?.parents).toEqual([{ id: earlier, builtOn: digest("base-1"), movedOn: true, newer: digest("base-2") }]);
  expect(nodes.get(earlier)).toMatchObject({ url: url("base"), digest: digest("base-1"), parents: [{ id: url("old") }] });
  expect(nodes.get(url("base"))).toMatchObject({ digest: digest("base-2"), parents: [] });
});

test("an earlier version can be asked for by its digest", async () => {
  expect((await imageGraph(pinned, [digest("base-1")])).roots).toEqual([earlier]);
  await expect(imageGraph(inventory([], [layer("stray")]), [digest("stray")])).rejects.toThrow("no URL stands for");
});

test("a URL that has another version by now, which the store has not seen, has moved on too", async () => {
  const { nodes } = await graphOf(diamond, [url("left")], async () => true);
  expect(nodes.get(url("left"))?.parents).toEqual([{ id: url("base"), builtOn: digest("base"), movedOn: true, newer: undefined }]);
});

test("of some images has these and what is below them", async () => {
  const { roots, nodes } = await imageGraph(diamond, [url("left"), digest("left"), url("base")]);
  expect(names(roots)).toEqual(["left", "base"]);
  expect(names([...nodes.keys()])).toEqual(["base", "gone", "left"]);
  await expect(imageGraph(diamond, ["nope"])).rejects.toThrow('"nope" is no URL and no digest');
});

test("images that only stand on each other are begun with, too", async () => {
  const circle = inventory(
    ["a", "b", "c"].map((name) => image(name, name)),
    [layer("a", "b"), layer("b", "a"), layer("c")],
  );
  expect(names((await imageGraph(circle, [])).roots)).toEqual(["c", "a"]);
});
