import { shortDigest } from "../../base/digest.js";
import type { GraphNode, ImageGraph } from "../../engine/image/graph.js";
import { columnsOf, cutToColumns } from "../columns.js";
import { printable } from "../printable.js";
import { showBytes } from "../quantity.js";
import { type LayoutSizes, layOut, type Point } from "./graph-layout.js";
import { movedOnWords } from "./tree-lines.js";

const sizes: LayoutSizes = { nodeHeight: 58, rankGap: 46, nodeGap: 28, margin: 20 };
/** What a line of small text adds to a box. */
const lineHeight = 14;

/** Pixels that a character takes, in the two sizes of text, and beside the text. */
const nameWidth = 8.4;
const smallWidth = 6.7;
const padding = 14;
const longest = 64;

/** A drawing of a graph, images above those that they stand on, for light and dark pages. The same graph is always drawn alike. */
export function graphSvg({ nodes }: ImageGraph): string {
  const boxes = new Map([...nodes].map(([id, node]) => [id, boxOf(node, noteOf(nodes, node))]));
  const nodeHeight = sizes.nodeHeight + ([...boxes.values()].some(({ note }) => note !== undefined) ? lineHeight : 0);
  const layoutNodes = [...boxes].map(([id, { width }]) => ({ id, width, below: (nodes.get(id)?.parents ?? []).map((edge) => edge.id) }));
  const { width, height, nodes: places, edges } = layOut(layoutNodes, { ...sizes, nodeHeight });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${nodes.size} images and what they stand on</title>`,
    style,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0.5 8 4 0 7.5z"/></marker></defs>',
    ...edges.map(({ from, to, points }) => drawEdge(points, edgeWords(nodes.get(from), nodes.get(to)))),
    ...[...places].map(([id, place]) => drawBox(nodes.get(id)?.url ?? id, boxes.get(id), place, nodeHeight)),
    "</svg>",
    "",
  ].join("\n");
}

/** What there is to say of a child whose parent's URL has moved on. */
function edgeWords(from: GraphNode | undefined, to: GraphNode | undefined): string | undefined {
  const edge = from?.parents.find(({ id }) => id === to?.id);
  const [words] = edge && to ? movedOnWords(edge, to.digest) : [];
  return words === undefined ? undefined : `${from?.url} stands on ${to?.url}${to?.digest ? ` (${shortDigest(to.digest)})` : ""}: ${words}`;
}

/** The same in the parent's box, for all of its children: there, nothing is in its way. */
function noteOf(nodes: ImageGraph["nodes"], { id, digest }: GraphNode): string | undefined {
  const moved = [...nodes.values()].flatMap(({ parents }) => parents.filter((edge) => edge.id === id && edge.movedOn));
  if (moved.some(({ builtOn }) => digest === undefined || builtOn === digest)) return "has moved on: its URL has a newer version";
  return moved.length > 0 ? "has moved on since a child was built" : undefined;
}

const style = `<style>
  .box { fill: #f6f8fa; stroke: #57606a; }
  .missing .box { stroke-dasharray: 4 3; }
  text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; fill: #1f2328; text-anchor: middle; }
  .name { font-size: 14px; font-weight: 600; }
  .small { font-size: 11px; fill: #57606a; }
  .edge { fill: none; stroke: #57606a; stroke-width: 1.4; }
  .moved { stroke: #bc4c00; stroke-dasharray: 5 3; }
  .note { font-size: 11px; fill: #953800; }
  marker path { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    .box { fill: #22272e; stroke: #909dab; }
    text { fill: #e6edf3; }
    .small { fill: #9ea7b3; }
    .edge { stroke: #909dab; }
    .moved { stroke: #f0883e; }
    .note { fill: #ffb77c; }
    marker path { fill: #909dab; }
  }
</style>`;

type Box = {
  readonly name: string;
  readonly lines: readonly [string, string];
  readonly note: string | undefined;
  readonly isMissing: boolean;
  readonly width: number;
};

/** The archive's name, where it is, and what it is. */
function boxOf({ url, digest, bytes = 0 }: GraphNode, note: string | undefined): Box {
  const slash = url.lastIndexOf("/");
  const name = cutToColumns(printable(url.slice(slash + 1)), longest);
  const place = cutToColumns(printable(url.slice(0, slash + 1)), longest);
  const state = digest === undefined ? "not in the store" : `${shortDigest(digest).slice("sha256:".length)}  ${showBytes(bytes)}`;
  const widest = Math.max(columnsOf(name) * nameWidth, ...[place, state, note ?? ""].map((line) => columnsOf(line) * smallWidth));
  return { name, lines: [place, state], note, isMissing: digest === undefined, width: Math.ceil(widest) + 2 * padding };
}

function drawBox(url: string, box: Box | undefined, { x, y }: Point, height: number): string {
  if (!box) return "";
  const text = (className: string, offset: number, content: string): string =>
    `<text class="${className}" x="${x}" y="${y + offset}">${escaped(content)}</text>`;
  return [
    `<g${box.isMissing ? ' class="missing"' : ""}><title>${escaped(url)}</title>`,
    `<rect class="box" x="${x - box.width / 2}" y="${y}" width="${box.width}" height="${height}" rx="6"/>`,
    text("name", 21, box.name),
    text("small", 37, box.lines[0]),
    text("small", 51, box.lines[1]),
    ...(box.note === undefined ? [] : [text("note", 51 + lineHeight, box.note)]),
    "</g>",
  ].join("");
}

function drawEdge(points: readonly Point[], words: string | undefined): string {
  const path = (className: string): string => `<path class="${className}" d="${curve(points)}" marker-end="url(#head)"/>`;
  return words === undefined ? path("edge") : `<g><title>${escaped(words)}</title>${path("edge moved")}</g>`;
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
