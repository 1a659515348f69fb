// Search, order, copying, and the graphs of parents. The page can be read without it.
// @ts-check

/** @typedef {{ url: string, path: string | null }} Parent */
/** @typedef {{ path: string, url: string, digest: string | null, parents: Parent[], settings: string[], command: string[] | null }} Image */

/** @type {Image[]} */
const images = JSON.parse(element("data").textContent ?? "[]");
const byPath = new Map(images.map((image) => [image.path, image]));
const list = element("list");
const items = /** @type {HTMLElement[]} */ ([...list.children]);
const search = /** @type {HTMLInputElement} */ (element("search"));
const sort = /** @type {HTMLSelectElement} */ (element("sort"));

for (const button of document.querySelectorAll("button.js")) if (button instanceof HTMLElement) button.hidden = false;
element("tools").hidden = false;

const texts = new Map(
  images.map(({ path, digest, parents, settings, command }) => [
    path,
    [path, digest, ...parents.map(({ url }) => url), ...settings, ...(command ?? [])].join("\n").toLowerCase(),
  ]),
);

/** Every word has to be somewhere in what is known of an image. */
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of items) {
    const text = texts.get(item.dataset.path ?? "") ?? "";
    item.hidden = !words.every((word) => text.includes(word));
    if (!item.hidden) shown += 1;
  }
  element("count").textContent = shown === items.length ? String(shown) : `${shown} of ${items.length}`;
  element("none").hidden = shown > 0 || items.length === 0;
}

/** @type {Record<string, (a: HTMLElement, b: HTMLElement) => number>} */
const orders = {
  name: (a, b) => ((a.dataset.path ?? "") < (b.dataset.path ?? "") ? -1 : 1),
  newest: (a, b) => ((a.dataset.time ?? "") > (b.dataset.time ?? "") ? -1 : 1),
  largest: (a, b) => Number(b.dataset.size) - Number(a.dataset.size),
};

search.addEventListener("input", filter);
sort.addEventListener("change", () => list.append(...items.toSorted(orders[sort.value] ?? orders.name)));
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});

/** What the address names is opened, also where the search hides it. */
function openNamed() {
  const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = item?.querySelector("details");
  if (!item || !details) return;
  if (item.hidden) {
    search.value = "";
    filter();
  }
  details.open = true;
  item.scrollIntoView();
}
addEventListener("hashchange", openNamed);

list.addEventListener("click", async (event) => {
  const button = event.target instanceof HTMLButtonElement ? event.target : undefined;
  const code = button?.previousElementSibling;
  if (!button || !code) return;
  await copy(code);
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1500);
});

/** Browsers have a clipboard for pages over HTTPS only; elsewhere there is the old way. @param {Element} code */
async function copy(code) {
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent ?? "");
  const selection = getSelection();
  selection?.selectAllChildren(code);
  document.execCommand("copy");
  selection?.removeAllRanges();
}

// Drawn when they are looked at.
list.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open) return;
    const place = target.querySelector(".graph");
    const image = byPath.get(target.parentElement?.dataset.path ?? "");
    if (!(place instanceof HTMLElement) || !image || place.firstChild) return;
    place.hidden = false;
    place.append(graph(image));
  },
  true,
);

/** @typedef {{ x: number, y: number, width: number }} Box */

const boxHeight = 34;
const rowHeight = 68;

/**
 * An image and all of its ancestors, as boxes with lines from each to its parents.
 * @param {Image} image
 */
function graph(image) {
  const { boxes, width, height } = boxesOf(rowsOf(image));
  const svg = make("svg", { width, height, role: "img" });
  svg.append(make("title", {}, `${image.path} and the images below it`));
  for (const [key, from] of boxes) {
    const below = parentsOf(key).flatMap((parent) => boxes.get(parent) ?? []);
    svg.append(...below.filter((to) => to.y > from.y).map((to) => line(from, to)));
  }
  svg.append(...[...boxes].map(([key, box]) => node(key, box, key === image.path)));
  return svg;
}

/**
 * Images by rows from the top: each as far below the first as its longest way there.
 * @param {Image} image
 */
function rowsOf(image) {
  /** @type {Map<string, number>} */
  const levels = new Map();
  /** @param {string} key @param {number} level @param {readonly string[]} way */
  const place = (key, level, way) => {
    // A circle cannot be built, but it can be uploaded.
    if (way.includes(key) || (levels.get(key) ?? -1) >= level || levels.size > 200) return;
    levels.set(key, level);
    for (const parent of parentsOf(key)) place(parent, level + 1, [...way, key]);
  };
  place(image.path, 0, []);
  /** @type {string[][]} */
  const rows = [];
  for (const [key, level] of levels) rows[level] = [...(rows[level] ?? []), key];
  return rows;
}

/** @param {readonly (readonly string[])[]} rows */
function boxesOf(rows) {
  const gap = 16;
  /** @param {string} key */
  const widthOf = (key) => Math.round(nameOf(key).length * 7.4) + 24;
  const widths = rows.map((row) => row.reduce((sum, key) => sum + widthOf(key) + gap, -gap));
  const width = Math.max(...widths) + 4;
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  for (const [level, row] of rows.entries()) {
    let x = (width - (widths[level] ?? 0)) / 2;
    for (const key of row) {
      boxes.set(key, { x, y: 2 + level * rowHeight, width: widthOf(key) });
      x += widthOf(key) + gap;
    }
  }
  return { boxes, width, height: (rows.length - 1) * rowHeight + boxHeight + 4 };
}

/** @param {Box} from @param {Box} to */
function line(from, to) {
  const [x1, y1, x2, y2] = [from.x + from.width / 2, from.y + boxHeight, to.x + to.width / 2, to.y];
  const middle = (y1 + y2) / 2;
  return make("path", { d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}` });
}

/** @param {string} key @param {Box} box @param {boolean} isSelf */
function node(key, { x, y, width }, isSelf) {
  const isLink = byPath.has(key) && !isSelf;
  const made = make(isLink ? "a" : "g", isLink ? { href: `#${encodeURIComponent(key)}` } : {});
  made.setAttribute("class", isSelf ? "self" : isLink ? "here" : "elsewhere");
  made.append(make("title", {}, key), make("rect", { x, y, width, height: boxHeight, rx: 6 }));
  made.append(make("text", { x: x + width / 2, y: y + 22, "text-anchor": "middle" }, nameOf(key)));
  return made;
}

/** Parents by their paths here, or by their URLs elsewhere. @param {string} key */
function parentsOf(key) {
  return (byPath.get(key)?.parents ?? []).map(({ path, url }) => path ?? url);
}

/** The name of an archive without its ending, shortened. @param {string} key */
function nameOf(key) {
  const name = key.replace(/\.(tar\.\w+|t[gx]z|tzst|tar|zip)$/, "").replace(/^[a-z]+:\/\/+/, "");
  return name.length > 36 ? `…${name.slice(-35)}` : name;
}

/** @param {string} tag @param {Record<string, string | number>} attributes @param {string} [text] */
function make(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

if (location.hash) openNamed();
