/** A node to be laid out: its width in pixels, and the nodes below it that it stands on. */
export type LayoutNode = { readonly id: string; readonly width: number; readonly below: readonly string[] };

export type Point = { readonly x: number; readonly y: number };

/** Where things are: a node by the middle of its top, an edge by the points that it goes through, its ends among them. */
export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Point>;
  readonly edges: readonly { readonly from: string; readonly to: string; readonly points: readonly Point[] }[];
};

export type LayoutSizes = { readonly nodeHeight: number; readonly rankGap: number; readonly nodeGap: number; readonly margin: number };

/**
 * Lays a graph out in ranks, as Sugiyama, Tagawa and Toda do ("Methods for Visual Understanding of Hierarchical System Structures",
 * 1981): every node below all that stand on it, edges around the nodes between, few crossings. The same graph is always laid out alike.
 * Nodes that stand on each other in a circle are taken as they come.
 */
export function layOut(nodes: readonly LayoutNode[], sizes: LayoutSizes): Layout {
  const ranks = rankNodes(nodes);
  const { rows, paths } = makeRows(nodes, ranks);
  orderRows(rows);
  placeRows(rows, sizes);
  return measured(rows, paths, sizes);
}

/** A node in its row, or a place that an edge passes through. `next`: in the row below; `before`: in the row above. */
type Slot = {
  readonly id: string | undefined;
  readonly width: number;
  readonly rank: number;
  readonly next: Slot[];
  readonly before: Slot[];
  x: number;
};
type Path = { readonly from: string; readonly to: string; readonly slots: readonly Slot[] };
type Rows = Slot[][];

/** How many edges lie between a node and the farthest that stands on it. */
function rankNodes(nodes: readonly LayoutNode[]): ReadonlyMap<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Map<string, number>();
  const above = new Map<string, string[]>();
  for (const { id, below } of nodes) for (const other of below) above.set(other, [...(above.get(other) ?? []), id]);
  const rankOf = (id: string, path: ReadonlySet<string>): number => {
    const known = done.get(id);
    if (known !== undefined) return known;
    const inside = new Set([...path, id]);
    const ranks = (above.get(id) ?? []).filter((other) => byId.has(other) && !inside.has(other)).map((other) => rankOf(other, inside) + 1);
    const rank = Math.max(0, ...ranks);
    done.set(id, rank);
    return rank;
  };
  for (const { id } of nodes) rankOf(id, new Set());
  return done;
}

/** Edges over several rows get a slot in each between. */
function makeRows(
  nodes: readonly LayoutNode[],
  ranks: ReadonlyMap<string, number>,
): { readonly rows: Rows; readonly paths: readonly Path[] } {
  const rows: Rows = [];
  const slot = (id: string | undefined, width: number, rank: number): Slot => {
    const made: Slot = { id, width, rank, next: [], before: [], x: 0 };
    for (let row = rows.length; row <= rank; row++) rows.push([]);
    rows[rank]?.push(made);
    return made;
  };
  const slots = new Map(nodes.map(({ id, width }) => [id, slot(id, width, ranks.get(id) ?? 0)]));
  const paths = nodes.flatMap(({ id, below }) =>
    below.flatMap((other): readonly Path[] => {
      const [from, to] = [slots.get(id), slots.get(other)];
      // An edge upwards closes a circle.
      if (!from || !to || to.rank <= from.rank) return [];
      const way = [from];
      for (let rank = from.rank + 1; rank < to.rank; rank++) way.push(slot(undefined, 0, rank));
      way.push(to);
      for (const [at, step] of way.entries()) {
        const next = way[at + 1];
        if (!next) continue;
        step.next.push(next);
        next.before.push(step);
      }
      return [{ from: id, to: other, slots: way }];
    }),
  );
  return { rows, paths };
}

/** Each slot to the middle of those that it is bound to, down and up, a few times. */
function orderRows(rows: Rows): void {
  const number = (): void => {
    for (const row of rows) for (const [at, slot] of row.entries()) slot.x = at;
  };
  number();
  for (let round = 0; round < 8; round++) {
    const isDown = round % 2 === 0;
    for (const row of isDown ? rows : rows.toReversed()) {
      const middle = new Map(row.map((slot) => [slot, mean(isDown ? slot.before : slot.next) ?? slot.x]));
      row.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
      for (const [at, slot] of row.entries()) slot.x = at;
    }
    number();
  }
}

/** Every row side by side, then each slot pulled towards those that it is bound to, as far as its neighbours let it. */
function placeRows(rows: Rows, { nodeGap }: LayoutSizes): void {
  const apart = (a: Slot, b: Slot): number => (a.width + b.width) / 2 + nodeGap;
  for (const row of rows) {
    let x = 0;
    for (const [at, slot] of row.entries()) {
      const left = row[at - 1];
      x = left ? left.x + apart(left, slot) : 0;
      slot.x = x;
    }
    const shift = x / 2;
    for (const slot of row) slot.x -= shift;
  }
  for (let round = 0; round < 24; round++) {
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      const wanted = row.map((slot) => mean([...slot.before, ...slot.next]) ?? slot.x);
      spread(row, wanted, apart);
    }
  }
}

/** The places nearest to those wanted that keep the order and the distances: neighbours that meet move as one block. */
function spread(row: readonly Slot[], wanted: readonly number[], apart: (a: Slot, b: Slot) => number): void {
  type Block = { readonly slots: readonly { readonly slot: Slot; readonly offset: number }[]; readonly sum: number };
  const at = ({ sum, slots }: Block): number => sum / slots.length;
  const blocks: Block[] = [];
  for (const [index, slot] of row.entries()) {
    let block: Block = { slots: [{ slot, offset: 0 }], sum: wanted[index] ?? 0 };
    for (let left = blocks.at(-1); left; left = blocks.at(-1)) {
      const last = left.slots.at(-1);
      const first = block.slots[0];
      if (!last || !first) break;
      const offset = last.offset + apart(last.slot, first.slot);
      if (at(left) + offset <= at(block)) break;
      blocks.pop();
      const moved = block.slots.map((one) => ({ slot: one.slot, offset: one.offset + offset }));
      block = { slots: [...left.slots, ...moved], sum: left.sum + block.sum - offset * block.slots.length };
    }
    blocks.push(block);
  }
  for (const block of blocks) for (const { slot, offset } of block.slots) slot.x = at(block) + offset;
}

function mean(slots: readonly Slot[]): number | undefined {
  return slots.length === 0 ? undefined : slots.reduce((sum, { x }) => sum + x, 0) / slots.length;
}

function measured(rows: Rows, paths: readonly Path[], { nodeHeight, rankGap, margin }: LayoutSizes): Layout {
  const all = rows.flat();
  const left = Math.min(0, ...all.map(({ x, width }) => x - width / 2)) - margin;
  const right = Math.max(0, ...all.map(({ x, width }) => x + width / 2)) + margin;
  const place = ({ x, rank }: Slot): Point => ({ x: Math.round(x - left), y: margin + rank * (nodeHeight + rankGap) });
  return {
    width: Math.ceil(right - left),
    height: 2 * margin + Math.max(0, rows.length * (nodeHeight + rankGap) - rankGap),
    nodes: new Map(all.flatMap((slot) => (slot.id === undefined ? [] : [[slot.id, place(slot)]]))),
    edges: paths.map(({ from, to, slots }) => ({
      from,
      to,
      points: slots.flatMap((slot, at) => pointsOf(place(slot), at, slots.length, nodeHeight)),
    })),
  };
}

/** An edge begins below a node and ends on top of one; between, it passes other nodes at their height. */
function pointsOf({ x, y }: Point, at: number, count: number, nodeHeight: number): readonly Point[] {
  if (at === 0) return [{ x, y: y + nodeHeight }];
  return at === count - 1
    ? [{ x, y }]
    : [
        { x, y },
        { x, y: y + nodeHeight },
      ];
}
