import type { Inventory, KnownImage, KnownLayer } from "../../src/image/inventory.js";
import { noMeta } from "../../src/image/meta.js";
import { ref } from "./archive.js";
import { there } from "./files.js";

/** The digest of a layer with this name. */
export const digest = (name: string): string => `sha256:${Buffer.from(name.padEnd(32, "."), "latin1").toString("hex").slice(0, 64)}`;
export const id = (name: string): string => digest(name).slice("sha256:".length, "sha256:".length + 16);
export const url = (name: string): string => `https://h/${name}.tar.gz`;

/** A layer as an inventory has it; `parents`: names, or a name and the version that the child was built on. */
export function layer(name: string, ...parents: readonly (string | readonly [string, string])[]): KnownLayer {
  const refs = parents.map((parent) =>
    typeof parent === "string" ? { image: ref(url(parent)), digest: undefined } : { image: ref(url(parent[0])), digest: digest(parent[1]) },
  );
  const root = { mode: 0o755, uid: 0, gid: 0, attributes: false };
  return { id: id(name), digest: digest(name), bytes: 1, root, meta: { ...noMeta(""), parents: refs } };
}

/** An image by its name and the names of its layers, the one of now last. */
export function image(name: string, ...versions: readonly [string, ...string[]]): KnownImage {
  const history = versions.map(digest);
  return {
    url: url(name),
    image: ref(url(name)),
    digest: there(history.at(-1)),
    history,
    validators: {},
    time: "2026-11-24T00:00:00.000Z",
  };
}

/** An inventory of these. */
export function inventory(images: readonly KnownImage[], layers: readonly KnownLayer[], more: Partial<Inventory> = {}): Inventory {
  return { images, layers: new Map(layers.map((one) => [one.id, one])), derived: new Set(), claims: [], machines: [], ...more };
}
