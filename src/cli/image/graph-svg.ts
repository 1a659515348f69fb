import { shortDigest } from "../../base/digest.js";
import type { GraphNode, ImageGraph } from "../../engine/image/graph.js";
import { columnsOf, cutToColumns } from "../columns.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import { type LayoutSizes, layOut, type Point } from "./graph-layout.js";

const sizes: LayoutSizes = { nodeHeight: 58, rankGap: 46, nodeGap: 28, margin: 20 };

/** Pixels that a character takes, in the two sizes of text, and beside the text. */
const nameWidth = 8.4;
const smallWidth = 6.7;
const padding = 14;
const longest = 64;

/** A drawing of a graph, images above those that they stand on, for light and dark pages. The same graph is always drawn alike. */
export function graphSvg({ nodes }: ImageGraph): string {
  const boxes = new Map([...nodes].map(([url, node]) => [url, boxOf(node)]));
  const layoutNodes = [...boxes].map(([id, { width }]) => ({ id, width, below: (nodes.get(id)?.parents ?? []).map(({ url }) => url) }));
  const { width, height, nodes: places, edges } = layOut(layoutNodes, sizes);
  const movedOn = (from: string, to: string): boolean => nodes.get(from)?.parents.some((edge) => edge.url === to && edge.movedOn) ?? false;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${nodes.size} images and what they stand on</title>`,
    style,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
    ...edges.map(
      ({ from, to, points }) => `<path class="edge${movedOn(from, to) ? " moved" : ""}" d="${curve(points)}" marker-end="url(#head)"/>`,
    ),
    ...[...places].map(([url, place]) => drawBox(url, boxes.get(url), place)),
    "</svg>",
    "",
  ].join("\n");
}

const style = `<style>
  .box { fill: #f6f8fa; stroke: #57606a; }
  .missing .box { stroke-dasharray: 4 3; }
  text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; fill: #1f2328; text-anchor: middle; }
  .name { font-size: 14px; font-weight: 600; }
  .small { font-size: 11px; fill: #57606a; }
  .edge { fill: none; stroke: #57606a; stroke-width: 1.4; }
  .moved { stroke: #bc4c00; stroke-dasharray: 5 3; }
  marker path { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #22272e; stroke: #909dab; }
    text { fill: #e6edf3; }
    .small { fill: #9ea7b3; }
    .edge { stroke: #909dab; }
    .moved { stroke: #f0883e; }
    marker path { fill: #909dab; }
  }
</style>`;

type Box = { readonly name: string; readonly lines: readonly [string, string]; readonly isMissing: boolean; readonly width: number };

/** The archive's name, where it is, and what it is. */
function boxOf({ url, digest, bytes = 0 }: GraphNode): Box {
  const slash = url.lastIndexOf("/");
  const name = cutToColumns(printable(url.slice(slash + 1)), longest);
  const place = cutToColumns(printable(url.slice(0, slash + 1)), longest);
  const state = digest === undefined ? "not in the store" : `${shortDigest(digest).slice("sha256:".length)}  ${showBytes(bytes)}`;
  const widest = Math.max(columnsOf(name) * nameWidth, columnsOf(place) * smallWidth, columnsOf(state) * smallWidth);
  return { name, lines: [place, state], isMissing: digest === undefined, width: Math.ceil(widest) + 2 * padding };
}

function drawBox(url: string, box: Box | undefined, { x, y }: Point): string {
  if (!box) return "";
  const text = (className: string, offset: number, content: string): string =>
    `<text class="${className}" x="${x}" y="${y + offset}">${escaped(content)}</text>`;
  const { nodeHeight } = sizes;
  return [
    `<g${box.isMissing ? ' class="missing"' : ""}><title>${escaped(url)}</title>`,
    `<rect class="box" x="${x - box.width / 2}" y="${y}" width="${box.width}" height="${nodeHeight}" rx="6"/>`,
    text("name", 21, box.name),
    text("small", 37, box.lines[0]),
    text("small", 51, box.lines[1]),
    "</g>",
  ].join("");
}

/** Straight up and down at each point, so that edges meet boxes and pass them at right angles. */
function curve(points: readonly Point[]): string {
  const [start, ...rest] = points;
  if (!start) return "";
  let before = start;
  const parts = rest.map((point) => {
    const middle = (before.y + point.y) / 2;
    const part = `C${before.x} ${middle} ${point.x} ${middle} ${point.x} ${point.y}`;
    before = point;
    return part;
  });
  return `M${start.x} ${start.y}${parts.join("")}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
