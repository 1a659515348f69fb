import { shortDigest } from "../../base/digest.js";
import type { GraphEdge, ImageGraph } from "../../engine/image/graph.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import type { Paint } from "../style.js";

/** A graph as a tree: below each image its parents, the one on top first. What has parents is drawn out where it comes first. */
export function treeLines({ roots, nodes }: ImageGraph, paint: Paint): readonly string[] {
  if (nodes.size === 0) return ["the store has no images"];
  const drawn = new Set<string>();
  const draw = (id: string, edge: GraphEdge | undefined, head: string, tail: string): readonly string[] => {
    const node = nodes.get(id);
    const isAgain = drawn.has(id) && (node?.parents.length ?? 0) > 0;
    drawn.add(id);
    const remarks = [
      node?.digest === undefined ? "not in the store" : `${shortDigest(node.digest)} ${showBytes(node.bytes ?? 0)}`,
      ...(edge ? movedOnWords(edge, node?.digest) : []),
      ...(isAgain ? ["↑ drawn out above"] : []),
    ];
    const line = `${head}${printable(node?.url ?? id)}  ${paint("dim", remarks.join(", "))}`;
    const parents = isAgain ? [] : [...(node?.parents ?? [])].reverse();
    const below = parents.flatMap((parent, at) => {
      const isLast = at === parents.length - 1;
      return draw(parent.id, parent, `${tail}${isLast ? "└─ " : "├─ "}`, `${tail}${isLast ? "   " : "│  "}`);
    });
    return [line, ...below];
  };
  return roots.flatMap((id) => draw(id, undefined, "", ""));
}

/**
 * What there is to say of a child whose parent's URL has moved on.
 * @param used digest of the parent that is really used, if the store has one
 */
export function movedOnWords({ builtOn, movedOn, newer }: GraphEdge, used: string | undefined): readonly string[] {
  if (!movedOn || builtOn === undefined) return [];
  if (used !== undefined && used !== builtOn) return [`not the ${shortDigest(builtOn)} that it was built on, which is gone`];
  return [`its URL has a newer version${newer === undefined ? "" : `: ${shortDigest(newer)}`}`];
}
