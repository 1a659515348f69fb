import { shortDigest } from "../../base/digest.js";
import type { GraphEdge, ImageGraph } from "../../engine/image/graph.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import type { Paint } from "../style.js";

/** A graph as a tree: below each image its parents, the one on top first. What has parents is drawn out where it comes first. */
export function treeLines({ roots, nodes }: ImageGraph, paint: Paint): readonly string[] {
  if (nodes.size === 0) return ["the store has no images"];
  const drawn = new Set<string>();
  const draw = (edge: GraphEdge, head: string, tail: string): readonly string[] => {
    const node = nodes.get(edge.url);
    const isAgain = drawn.has(edge.url) && (node?.parents.length ?? 0) > 0;
    drawn.add(edge.url);
    const remarks = [
      node?.digest === undefined ? "not in the store" : `${shortDigest(node.digest)} ${showBytes(node.bytes ?? 0)}`,
      ...(edge.movedOn ? ["has moved on"] : []),
      ...(isAgain ? ["↑ drawn out above"] : []),
    ];
    const line = `${head}${printable(edge.url)}  ${paint("dim", remarks.join(", "))}`;
    const parents = isAgain ? [] : [...(node?.parents ?? [])].reverse();
    const below = parents.flatMap((parent, at) => {
      const isLast = at === parents.length - 1;
      return draw(parent, `${tail}${isLast ? "└─ " : "├─ "}`, `${tail}${isLast ? "   " : "│  "}`);
    });
    return [line, ...below];
  };
  return roots.flatMap((url) => draw({ url, movedOn: false }, "", ""));
}
