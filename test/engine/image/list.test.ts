import { expect, test } from "vitest";
import { imageRows } from "../../../src/engine/image/list.js";
import { selectImage } from "../../../src/engine/image/select.js";
import type { KnownImage } from "../../../src/image/inventory.js";
import { digest, id, image, inventory, layer, url } from "../../support/inventory.js";

const all = inventory(
  [image("app", "app-1", "app-2", "app-3"), image("base", "base"), image("lost", "lost")],
  [layer("app-1"), layer("app-3", "base"), layer("base"), layer("made"), layer("stray")],
  { derived: new Set([digest("made")]), machines: [{ machine: "web", layers: [id("app-1"), id("base")] }] },
);

test("rows are images, each with its earlier versions that are there, then what has no URL", async () => {
  const rows = await imageRows(all);
  expect(rows.map((row) => [row.kind, row.url, row.digest, row.layers, row.machines])).toEqual([
    ["image", url("app"), digest("app-3"), 2, []],
    ["earlier", url("app"), digest("app-1"), 1, ["web"]],
    ["image", url("base"), digest("base"), 1, ["web"]],
    ["bootstrap", undefined, digest("made"), undefined, []],
    ["unknown", undefined, digest("stray"), undefined, []],
  ]);
});

test("an image without a chain is a row all the same", async () => {
  const circle = inventory([image("a", "a")], [layer("a", "a")]);
  expect(await imageRows(circle)).toMatchObject([{ url: url("a"), layers: undefined }]);
});

test("what an image stands on is not counted where something of it is not known", async () => {
  const images = ["top", "left", "base", "wrong"].map((name) => image(name, name)) as [KnownImage, ...KnownImage[]];
  const layers = [layer("top", "left"), layer("left", "base"), { ...layer("wrong"), trouble: "no YAML" }];
  const counts = (await imageRows(inventory(images, layers))).map((row) => [row.url, row.layers]);
  expect(counts).toEqual(["top", "left", "wrong"].map((name) => [url(name), undefined]));
  const whole = await imageRows(inventory(images, [...layers, layer("base")]));
  expect(whole.map((row) => row.layers)).toEqual([3, 2, 1, undefined]);
});

test("what is an earlier version of one URL and the current one of another is shown as that", async () => {
  const moved = inventory([image("a", "x", "y"), image("b", "x")], [layer("x"), layer("y")]);
  expect((await imageRows(moved)).map((row) => `${row.kind} ${row.url} ${row.digest}`)).toEqual([
    `image ${url("a")} ${digest("y")}`,
    `image ${url("b")} ${digest("x")}`,
  ]);
});

test("an argument is a URL in any spelling, or a digest or its start", () => {
  expect(selectImage(all, "https://h:443/app.tar.gz").images.map((one) => one.url)).toEqual([url("app")]);
  for (const word of [digest("base"), digest("base").slice(7), digest("base").slice(0, 17)])
    expect(selectImage(all, word)).toEqual({ by: "digest", layer: layer("base"), images: [image("base", "base")] });
  expect(selectImage(all, digest("app-1")).images).toEqual([]);
  expect(selectImage(all, url("lost"))).toEqual({ by: "url", layer: undefined, images: [image("lost", "lost")] });
});

test("what an argument does not name is told with what is near", () => {
  expect(() => selectImage(all, "https://h/bsae.tar.gz")).toThrow(
    expect.objectContaining({ exitCode: 1, hint: `did you mean ${url("base")}?` }),
  );
  expect(() => selectImage(all, "ffffffffffff")).toThrow("the store has no image with the digest sha256:ffffffffffff");
  // All names of these layers begin alike.
  const alike = inventory([], [layer("same-1"), layer("same-2")]);
  expect(() => selectImage(alike, digest("same-").slice(7, 17))).toThrow("is the start of 2 digests");
  expect(() => selectImage(all, "app")).toThrow(expect.objectContaining({ exitCode: 2 }));
});
