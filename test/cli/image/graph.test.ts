import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LayoutNode, layOut } from "../../../src/cli/image/graph-layout.js";
import { graphSvg } from "../../../src/cli/image/graph-svg.js";
import { treeLines } from "../../../src/cli/image/tree-lines.js";
import type { GraphNode, ImageGraph } from "../../../src/engine/image/graph.js";
import { there } from "../../support/files.js";

const plain = (_: unknown, text: string): string => text;
const sizes = { nodeHeight: 50, rankGap: 40, nodeGap: 20, margin: 10 };

const zeros = `sha256:${"0".repeat(64)}`;

/** `top: ["left", "right!"]`; a mark says that the parent has moved on. */
function graph(roots: readonly string[], parents: Readonly<Record<string, readonly string[]>>): ImageGraph {
  const node = (url: string, names: readonly string[]): GraphNode => ({
    id: url,
    url,
    digest: url === "gone" ? undefined : zeros,
    bytes: 1,
    parents: names.map((name) => ({ id: name.replace("!", ""), builtOn: zeros, movedOn: name.endsWith("!"), newer: undefined })),
  });
  return { roots, nodes: new Map(Object.entries(parents).map(([url, names]) => [url, node(url, names)])) };
}

describe("the tree", () => {
  const short = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replaceAll("sha256:000000000000 1 B", "ok"));

  test("has the parent on top first, and draws out once what is shared", () => {
    const diamond = graph(["top"], { top: ["left", "right"], left: ["base!"], right: ["base"], base: ["gone"], gone: [] });
    expect(short(treeLines(diamond, plain))).toEqual([
      "top  ok",
      "├─ right  ok",
      "│  └─ base  ok",
      "│     └─ gone  not in the store",
      "└─ left  ok",
      "   └─ base  ok, its URL has a newer version, ↑ drawn out above",
    ]);
  });

  test("says which version is used where a parent has moved on", () => {
    const [child, base] = [`sha256:${"c".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    const node = (digest: string, ...parents: GraphNode["parents"]): GraphNode => ({ id: digest, url: "base", digest, bytes: 1, parents });
    const edge = { id: base, movedOn: true, newer: zeros };
    const lines = (builtOn: string): readonly string[] =>
      treeLines(
        { roots: [child], nodes: new Map([child, base].map((id) => [id, id === child ? node(child, { ...edge, builtOn }) : node(id)])) },
        plain,
      );
    expect(lines(base)[1]).toBe("└─ base  sha256:bbbbbbbbbbbb 1 B, its URL has a newer version: sha256:000000000000");
    expect(lines(child)[1]).toBe("└─ base  sha256:bbbbbbbbbbbb 1 B, not the sha256:cccccccccccc that it was built on, which is gone");
  });

  test("ends also where images are their own ancestors", () => {
    expect(short(treeLines(graph(["a"], { a: ["b"], b: ["a"] }), plain))).toEqual(["a  ok", "└─ b  ok", "   └─ a  ok, ↑ drawn out above"]);
  });
});

/** Graphs without circles, and some with. */
const anyNodes = fc
  .array(fc.record({ width: fc.integer({ min: 20, max: 300 }), below: fc.array(fc.nat({ max: 14 }), { maxLength: 4 }) }), { maxLength: 15 })
  .map((specs): readonly LayoutNode[] =>
    specs.map(({ width, below }, at) => ({
      id: `n${at}`,
      width,
      below: [...new Set(below)].filter((other) => other < specs.length && other !== at).map((other) => `n${other}`),
    })),
  );

describe("the layout", () => {
  test("has no node over another, all on the drawing, each edge from a node down to one below it", () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const { width, height, nodes: places, edges } = layOut(nodes, sizes);
        const boxes = nodes.map((node) => ({ ...there(places.get(node.id)), width: node.width }));
        for (const [at, box] of boxes.entries()) {
          expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0);
          expect(box.x + box.width / 2).toBeLessThanOrEqual(width);
          expect(box.y + sizes.nodeHeight).toBeLessThanOrEqual(height);
          for (const other of boxes.slice(at + 1)) {
            if (other.y === box.y)
              expect(Math.abs(other.x - box.x)).toBeGreaterThanOrEqual((box.width + other.width) / 2 + sizes.nodeGap - 1);
          }
        }
        for (const { from, to, points } of edges) {
          const [start, end] = [there(places.get(from)), there(places.get(to))];
          expect(points[0]).toEqual({ x: start.x, y: start.y + sizes.nodeHeight });
          expect(points.at(-1)).toEqual(end);
          for (const [at, point] of points.slice(1).entries()) expect(point.y).toBeGreaterThan(there(points[at]).y);
        }
      }),
    );
  });

  test("draws every edge of a graph without circles", () => {
    const acyclic = anyNodes.map((nodes) =>
      nodes.map((node, at) => ({ ...node, below: node.below.filter((other) => Number(other.slice(1)) > at) })),
    );
    fc.assert(
      fc.property(acyclic, (nodes) => {
        const drawn = layOut(nodes, sizes).edges.map(({ from, to }) => `${from} ${to}`);
        expect(drawn.sort()).toEqual(nodes.flatMap(({ id, below }) => below.map((other) => `${id} ${other}`)).sort());
      }),
    );
  });

  test("keeps a parent below the middle of its children, without a crossing", () => {
    const node = (id: string, ...below: readonly string[]): LayoutNode => ({ id, width: 100, below });
    const { nodes } = layOut([node("a", "base"), node("b", "base"), node("c", "base"), node("base")], sizes);
    expect(nodes.get("base")?.x).toBe(nodes.get("b")?.x);
  });
});

test("the drawing holds any text as text, and is the same for the same graph", () => {
  const odd = graph(["https://h/<&\"'>.tar"], { "https://h/<&\"'>.tar": ["gone!"], gone: [] });
  const svg = graphSvg(odd);
  expect(svg).toContain(">&#60;&#38;&#34;&#39;&#62;.tar<");
  expect(svg).not.toMatch(/<&|&"/);
  expect(svg).toMatch(/<g><title>https:\S+ stands on gone: its URL has a newer version<\/title><path class="edge moved"/);
  expect(svg).toMatch(/<text class="note" .*>has moved on: its URL has a newer version<\/text>/);
  expect(graphSvg(graph(["a"], { a: ["gone"], gone: [] }))).not.toMatch(/has moved on|class="edge moved"/);
  expect(svg).toContain('class="missing"');
  expect(graphSvg(odd)).toBe(svg);
});
