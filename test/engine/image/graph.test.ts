import { expect, test } from "vitest";
import { imageGraph } from "../../../src/engine/image/graph.js";
import { digest, image, inventory, layer, url } from "../../support/inventory.js";

const names = (urls: readonly string[]): readonly string[] => urls.map((one) => one.replace(/^.*\/(.*)\.tar\.gz$/, "$1"));

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

test("begins with the images that nothing stands on, and has what is missing", () => {
  const { roots, nodes } = imageGraph(diamond, []);
  expect(names(roots)).toEqual(["alone", "top"]);
  expect(names([...nodes.keys()])).toEqual(["alone", "base", "gone", "left", "right", "top"]);
  expect(nodes.get(url("gone"))).toEqual({ url: url("gone"), digest: undefined, bytes: undefined, parents: [] });
  expect(nodes.get(url("top"))?.digest).toBe(digest("top"));
});

test("knows which parents have moved on since their child was built", () => {
  const { nodes } = imageGraph(diamond, []);
  expect(nodes.get(url("left"))?.parents).toEqual([{ url: url("base"), movedOn: false }]);
  expect(nodes.get(url("right"))?.parents).toEqual([{ url: url("base"), movedOn: true }]);
});

test("of some images has these and what is below them", () => {
  const { roots, nodes } = imageGraph(diamond, [url("left"), digest("left"), url("base")]);
  expect(names(roots)).toEqual(["left", "base"]);
  expect(names([...nodes.keys()])).toEqual(["base", "gone", "left"]);
  expect(() => imageGraph(diamond, ["nope"])).toThrow('"nope" is no URL and no digest');
});

test("images that only stand on each other are begun with, too", () => {
  const circle = inventory(
    ["a", "b", "c"].map((name) => image(name, name)),
    [layer("a", "b"), layer("b", "a"), layer("c")],
  );
  expect(names(imageGraph(circle, []).roots)).toEqual(["c", "a"]);
});
