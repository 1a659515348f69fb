import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkChain, type Wanted } from "../../src/image/link-chain.js";
import { ref } from "../support/archive.js";
import { there } from "../support/files.js";

const want = (url: string): Wanted => ({ image: ref(url), digest: undefined, pinned: false });

describe("linkChain, wherever images come from", () => {
  const url = (name: string): string => (name.includes(":") ? name : `https://h/${name}.tar.gz`);

  /** Links a graph of names, or of whole URLs; `asked` are the images that were looked for, in their order. */
  async function link(graph: Readonly<Record<string, readonly string[]>>, ...wanted: readonly string[]) {
    const asked: string[] = [];
    const chain = await linkChain(
      wanted.map((name) => want(url(name))),
      async ({ image }) => {
        const name = there(Object.keys(graph).find((key) => url(key) === image.url));
        asked.push(name);
        return { image, layer: { id: name }, meta: { parents: (graph[name] ?? []).map((parent) => want(url(parent))) } };
      },
      () => undefined,
    );
    return { asked, order: chain.map(({ layer }) => layer.id) };
  }

  test("each image is looked for once, in waves", async () => {
    const graph = { top: ["left", "right"], left: ["base"], right: ["base"], base: [] };
    expect(await link(graph, "top", "base")).toEqual({
      asked: ["top", "base", "left", "right"],
      order: ["top", "right", "left", "base"],
    });
  });

  test("each ancestor lies below all of its descendants, once, whatever the graph", async () => {
    // An image stands on images of lower numbers only, so nothing stands on itself.
    const parents = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(parents, fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 4 }), async (lists, tops) => {
        const graph = Object.fromEntries(
          lists.map((list, number) => [`n${number}`, number === 0 ? [] : [...new Set(list.map((parent) => `n${parent % number}`))]]),
        );
        const wanted = [...new Set(tops.map((top) => `n${top % lists.length}`))];
        const { asked, order } = await link(graph, ...wanted);
        const ancestors = (name: string): readonly string[] => [name, ...(graph[name] ?? []).flatMap(ancestors)];
        expect(new Set(order)).toEqual(new Set(wanted.flatMap(ancestors)));
        expect(order).toHaveLength(new Set(order).size);
        expect(asked.toSorted()).toEqual(order.toSorted());
        for (const name of order) {
          for (const parent of graph[name] ?? []) expect(order.indexOf(parent)).toBeGreaterThan(order.indexOf(name));
        }
        // Of two that nothing relates, the later lies above.
        for (const [index, name] of wanted.entries()) {
          for (const earlier of wanted.slice(0, index)) {
            const isRelated = wanted.some((other) => other !== earlier && ancestors(other).includes(earlier)) || ancestors(name).length > 1;
            if (!isRelated && ancestors(earlier).length === 1 && !wanted.some((other) => other !== name && ancestors(other).includes(name)))
              expect(order.indexOf(name)).toBeLessThan(order.indexOf(earlier));
          }
        }
      }),
    );
  });

  test("an image from elsewhere may not stand on a file of this host, unless the script names that file itself", async () => {
    const file = "file:///srv/base.tar.gz";
    const graph = { top: ["middle"], middle: [file], [file]: [], "file:///srv/own.tar.gz": [file] };
    await expect(link(graph, "top")).rejects.toThrow(
      "https://h/middle.tar.gz names file:///srv/base.tar.gz as its parent, a file of this host",
    );
    expect((await link(graph, "top", file)).order).toEqual(["top", "middle", file]);
    expect((await link(graph, "file:///srv/own.tar.gz")).order).toEqual(["file:///srv/own.tar.gz", file]);
  });

  test("one that cannot be found is an error, after all others of its wave were looked for", async () => {
    const seen: string[] = [];
    const get = async ({ image }: Wanted) => {
      seen.push(image.url);
      if (image.url.includes("bad")) throw new Error("no bad");
      return { image, layer: { id: image.url }, meta: { parents: [] } };
    };
    await expect(linkChain([want(url("bad")), want(url("good"))], get, () => undefined)).rejects.toThrow("no bad");
    expect(seen).toHaveLength(2);
  });
});

describe("images without end", () => {
  const none = { layer: { id: "0" } };
  const refusal = /^there are more than 500 ancestors, the last one https:\/\/example\.org\/\d+\.tar: Linux stacks no more layers$/;

  test("each of which names another parent are refused at what Linux can stack", async () => {
    let asked = 0;
    const get = ({ image }: Wanted) => {
      const parent = ref(`https://example.org/${++asked}.tar`);
      return Promise.resolve({ ...none, image, meta: { parents: [{ image: parent, digest: undefined }] } });
    };
    await expect(linkChain([want("https://example.org/0.tar")], get, () => undefined)).rejects.toThrow(refusal);
    expect(asked).toBe(501);
  });

  test("are others than many that are asked for", async () => {
    const wanted = Array.from({ length: 600 }, (_, index) => want(`https://example.org/${index}.tar`));
    const get = ({ image }: Wanted) => Promise.resolve({ layer: { id: image.url }, image, meta: { parents: [] } });
    expect(await linkChain(wanted, get, () => undefined)).toHaveLength(600);
  });

  test("as thousands of parents of one are refused before they are asked for", async () => {
    const parents = Array.from({ length: 5000 }, (_, index) => ({ image: ref(`https://example.org/${index}.tar`), digest: undefined }));
    let asked = 0;
    const get = ({ image }: Wanted) => Promise.resolve({ ...none, image, meta: { parents: asked++ === 0 ? parents : [] } });
    await expect(linkChain([want("https://example.org/top.tar")], get, () => undefined)).rejects.toThrow(refusal);
    expect(asked).toBe(1);
  });
});
