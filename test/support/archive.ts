import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Event } from "../../src/base/events.js";
import { LocalHost } from "../../src/host/local.js";
import type { ImageMeta } from "../../src/image/meta.js";
import { writeMeta } from "../../src/image/meta-text.js";
import type { PullContext } from "../../src/image/pull.js";
import { ImageStore } from "../../src/image/store.js";
import { type ImageRef, imageRef } from "../../src/plan/image-ref.js";
import { Transports } from "../../src/transport/transports.js";
import { testConfig } from "./config.js";
import { writeFiles } from "./files.js";

/** An image by its URL, which has to be right. */
export function ref(url: string): ImageRef {
  const image = imageRef(url);
  if (typeof image === "string") throw new Error(image);
  return image;
}

/** Packs files into an archive, which appears in one step; the ending says how it is compressed. */
export function makeArchive(path: string, files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(dirname(path), ".make-"));
  writeFiles(join(folder, "root"), files);
  execFileSync("tar", [
    "--create",
    "--auto-compress",
    `--file=${join(folder, "a")}${/\.tar.*$/.exec(path)?.[0] ?? ""}`,
    `--directory=${join(folder, "root")}`,
    ".",
  ]);
  renameSync(`${join(folder, "a")}${/\.tar.*$/.exec(path)?.[0] ?? ""}`, path);
  rmSync(folder, { recursive: true });
}

export type ImageSpec = Partial<Pick<ImageMeta, "command" | "settings" | "removed">> & {
  /** URLs, or URLs with the digest that the image was built on. */
  readonly parents?: readonly (string | { readonly url: string; readonly digest: string })[];
  readonly files?: Readonly<Record<string, string>>;
};

/** Makes the archive of an image, with its metadata. */
export function makeImage(path: string, { parents = [], files = {}, command, settings = [], removed = [] }: ImageSpec): string {
  const meta = writeMeta({
    url: `file://${path}`,
    parents: parents.map((parent) =>
      typeof parent === "string" ? { image: ref(parent), digest: undefined } : { image: ref(parent.url), digest: parent.digest },
    ),
    command,
    settings,
    removed,
  });
  makeArchive(path, { "nspawn-image.yaml": meta, ...files });
  return `file://${path}`;
}

/** What a store has where layers are, but for the marks of those that the disk is still to take. */
export function layersIn(store: string): readonly string[] {
  return readdirSync(join(store, "extract")).filter((name) => !/\.(un)?synced$/.test(name));
}

export function digestOf(path: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

export type TestContext = PullContext & { readonly events: readonly Event[]; warnings(): readonly string[] };

/** A store of its own on the real host; what is reported is collected. */
export async function storeContext(folder: string): Promise<TestContext> {
  const host = new LocalHost();
  const config = testConfig(join(folder, "store"));
  const events: Event[] = [];
  const report = (event: Event): void => void events.push(event);
  const store = await ImageStore.open(config.storage, host, report);
  return {
    host,
    config,
    store,
    transports: new Transports(config, {}, report, host.interrupted),
    events,
    report,
    warnings: () => events.flatMap((event) => (event.kind === "warning" ? [event.text] : [])),
  };
}
