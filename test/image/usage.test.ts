import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Inventory, imageOf, storedChain } from "../../src/image/inventory.js";
import { layersBelow, usageOf } from "../../src/image/usage.js";
import { ref } from "../support/archive.js";
import { there } from "../support/files.js";
import { digest, id, image, inventory, layer, url } from "../support/inventory.js";

const usersOf = (all: Inventory, name: string): readonly string[] =>
  (usageOf(all).get(id(name)) ?? []).map((user) =>
    user.kind === "machine" ? user.name : user.kind === "image" ? user.url : `process ${user.pid}`,
  );

describe("who needs a layer", () => {
  test("an image needs its own and all below it, once each", () => {
    const all = inventory(
      ["top", "left", "right", "base"].map((name) => image(name, name)),
      [layer("top", "left", "right"), layer("left", "base"), layer("right", "base"), layer("base")],
    );
    expect(usersOf(all, "base")).toEqual(["top", "left", "right", "base"].map(url));
    expect(usersOf(all, "top")).toEqual([url("top")]);
  });

  test("a child needs the version of its parent that it was built on, and the URL's own only without that", () => {
    const layers = [layer("child", ["base", "base-1"]), layer("base-1"), layer("base-2")];
    const images = [image("child", "child"), image("base", "base-1", "base-2")];
    expect(usersOf(inventory(images, layers), "base-1")).toEqual([url("child")]);
    expect(usersOf(inventory(images, layers), "base-2")).toEqual([url("base")]);
    const without = inventory(
      images,
      layers.filter((one) => one.digest !== digest("base-1")),
    );
    expect(usersOf(without, "base-2")).toEqual([url("child"), url("base")]);
  });

  test("earlier versions, and what was made, nobody needs by itself", () => {
    const all = inventory([image("a", "a-1", "a-2")], [layer("a-1"), layer("a-2"), layer("made")], { derived: new Set([digest("made")]) });
    expect([...usageOf(all).keys()]).toEqual([id("a-2")]);
  });

  test("machines and processes need what they name", () => {
    const more = {
      machines: [{ machine: "web", layers: [id("a-1"), "0000000000000000"] }],
      claims: [
        { layer: id("made"), pid: 7 },
        { layer: id("made"), pid: 7 },
      ],
    };
    const all = inventory([image("a", "a-1", "a-2")], [layer("a-1"), layer("a-2"), layer("made")], more);
    expect(usersOf(all, "a-1")).toEqual(["web"]);
    expect(usersOf(all, "made")).toEqual(["process 7"]);
  });

  test("images that are their own ancestors need each other, and end no search", () => {
    const all = inventory([image("a", "a"), image("b", "b")], [layer("a", "b"), layer("b", "a")]);
    expect(usersOf(all, "a")).toEqual([url("a"), url("b")]);
    expect(layersBelow(all, there(imageOf(all, ref(url("a")))))).toHaveLength(2);
  });
});

/** Images with parents among those before them, each with some versions, of which children name one, or none. */
const anyInventory = fc
  .array(
    fc.record({
      versions: fc.integer({ min: 1, max: 3 }),
      parents: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 3 }),
      isThere: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((specs) => {
    const images = specs.map((spec, at) =>
      image(`i${at}`, ...(Array.from({ length: spec.versions }, (_, v) => `i${at}v${v}`) as [string, ...string[]])),
    );
    const layers = specs.flatMap((spec, at) =>
      Array.from({ length: spec.versions }, (_, version) => {
        const parents =
          at === 0
            ? []
            : spec.parents.map(([other, v, pinned]): string | readonly [string, string] => {
                const name = `i${other % at}`;
                return pinned ? [name, `${name}v${v % (specs[other % at]?.versions ?? 1)}`] : name;
              });
        return layer(`i${at}v${version}`, ...parents);
      }),
    );
    return inventory(
      images,
      layers.filter((_, at) => at % 5 !== 4 || specs[0]?.isThere),
    );
  });

test("without the layers that nobody needs, every image has the chain that it had", async () => {
  await fc.assert(
    fc.asyncProperty(anyInventory, async (all) => {
      const usage = usageOf(all);
      const pruned = { ...all, layers: new Map([...all.layers].filter(([id]) => usage.has(id))) };
      const chains = (of: Inventory) => Promise.all(of.images.map(({ image, digest }) => storedChain(of, image, digest)));
      const ids = async (of: Inventory) => (await chains(of)).map((chain) => chain.map((link) => link.layer?.id));
      expect(await ids(pruned)).toEqual(await ids(all));
      expect(usageOf(pruned)).toEqual(usage);
    }),
  );
});
