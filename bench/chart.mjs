// @ts-check
import { shown } from "./report.mjs";

/** Pixels. */
const width = 940;
const plot = { left: 300, right: 720, top: 86 };
const rowHeight = 26;

/**
 * The times as an SVG drawing, for light and dark pages: for each row a dot for ours and a ring for the plain tools, on an axis where each
 * step is ten times as long, so that the same distance is the same ratio everywhere; with a mark where the target is.
 * @param {readonly import("./measure.mjs").Result[]} results
 */
export function chart(results) {
  const rows = results.filter(({ unit }) => unit === "ms");
  const values = rows.flatMap(({ ours, plain, limit }) => [ours, limit, ...(plain === undefined ? [] : [plain])]);
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  const place = (/** @type {number} */ value) =>
    plot.left + ((plot.right - plot.left) * (Math.log10(Math.max(value, 10 ** first)) - first)) / (last - first);
  const bottom = plot.top + rows.length * rowHeight;
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 24}" viewBox="0 0 ${width} ${bottom + 24}" role="img">`,
    `<title>Times of ours and of the plain tools</title>`,
    style,
    `<rect class="page" width="${width}" height="${bottom + 24}"/>`,
    '<text class="head" x="20" y="30">Times of ours and of the plain tools</text>',
    ...legend,
    ...ticks.flatMap((tick) => [
      `<path class="grid" d="M${round(place(tick))} ${plot.top - 6}V${bottom}"/>`,
      `<text class="small middle" x="${round(place(tick))}" y="${plot.top - 12}">${tick < 1000 ? `${tick} ms` : `${tick / 1000} s`}</text>`,
    ]),
    ...rows.flatMap((row, index) => drawRow(row, plot.top + index * rowHeight, place)),
    "</svg>",
    "",
  ].join("\n");
}

/** @param {import("./measure.mjs").Result} row @param {number} top @param {(value: number) => number} place */
function drawRow({ name, unit, ours, plain, limit, holds }, top, place) {
  const [x, y, mark] = [round(place(ours)), top + rowHeight / 2, round(place(limit))];
  const other = plain === undefined ? undefined : round(place(plain));
  const times = plain === undefined ? shown(ours, unit) : `${shown(ours, unit)} / ${shown(plain, unit)}`;
  return [
    `<text class="name" x="${plot.left - 16}" y="${y + 4}">${escaped(name)}</text>`,
    `<path class="grid" d="M${plot.left} ${y}H${plot.right}"/>`,
    `<path class="limit" d="M${mark} ${y - 9}V${y + 9}"/>`,
    ...(other === undefined
      ? []
      : [`<path class="between" d="M${x} ${y}H${other}"/>`, `<circle class="plain" cx="${other}" cy="${y}" r="5.5"/>`]),
    `<circle class="${holds ? "ours" : "ours missed"}" cx="${x}" cy="${y}" r="5.5"/>`,
    `<text class="small" x="${plot.right + 16}" y="${y + 4}">${escaped(times)}${holds ? "" : " (target missed)"}</text>`,
  ];
}

const legend = [
  '<circle class="ours" cx="28" cy="52" r="5.5"/><text class="small" x="40" y="56">ours</text>',
  '<circle class="plain" cx="92" cy="52" r="5.5"/><text class="small" x="104" y="56">plain tools</text>',
  '<path class="limit" d="M190 43V61"/><text class="small" x="198" y="56">target: at most this</text>',
];

const style = `<style>
  .page { fill: #ffffff; }
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
  .head { font-size: 17px; font-weight: 600; }
  .name { font-size: 13px; text-anchor: end; }
  .small { font-size: 12px; fill: #57606a; }
  .middle { text-anchor: middle; }
  .grid { stroke: #d8dee4; stroke-width: 1; }
  .ours { fill: #0969da; }
  .missed { fill: #cf222e; }
  .plain { fill: #ffffff; stroke: #57606a; stroke-width: 2; }
  .between { stroke: #8c959f; stroke-width: 3; }
  .limit { stroke: #1a7f37; stroke-width: 2.5; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .small { fill: #9198a1; }
    .grid { stroke: #30363d; }
    .ours { fill: #58a6ff; }
    .missed { fill: #ff7b72; }
    .plain { fill: #0d1117; stroke: #9198a1; }
    .between { stroke: #6e7681; }
    .limit { stroke: #56d364; }
  }
</style>`;

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
