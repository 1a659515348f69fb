import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, rmSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import type { Wanted } from "../../src/image/link-chain.js";
import { type ImagePreview, previewChain } from "../../src/image/preview.js";
import type { PullContext } from "../../src/image/pull.js";
import { resolveChain } from "../../src/image/resolve.js";
import { ImageStore } from "../../src/image/store.js";
import { Transports } from "../../src/transport/transports.js";
import { digestOf, makeArchive, makeImage, ref, storeContext } from "../support/archive.js";
import { testConfig } from "../support/config.js";
import { there, writeFiles } from "../support/files.js";
import { serve } from "../support/server.js";
import { tempFolder } from "../support/temp.js";
import { listTree, sh } from "../support/tree.js";

let folder: string;
/** Where the folder is served over HTTP. */
let http: string;
/** What the server was asked for, and how many bytes it gave. */
let asked: string[];
let sent: number;
let isUp: boolean;

beforeEach(async () => {
  folder = tempFolder();
  [asked, sent, isUp] = [[], 0, true];
  http = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const path = join(folder, request.url ?? "");
    if (!isUp || !existsSync(path)) {
      response.writeHead(isUp ? 404 : 503).end();
      return;
    }
    const { size, mtimeMs, ino } = statSync(path);
    response.writeHead(200, { "content-length": String(size), etag: `${ino}-${size}-${mtimeMs}` });
    if (request.method === "HEAD") response.end();
    else
      createReadStream(path)
        .on("data", (chunk) => {
          sent += chunk.length;
        })
        .pipe(response);
  });
});

const want = (url: string, digest?: string, pinned = digest !== undefined): Wanted => ({ image: ref(url), digest, pinned });
const file = (name: string): string => `file://${folder}/${name}.tar.gz`;
const make = (name: string, spec: Parameters<typeof makeImage>[1] = {}): string => makeImage(join(folder, `${name}.tar.gz`), spec);

/** A look into the store, as `--plan` has it. */
async function view(): Promise<PullContext> {
  const host = new LocalHost();
  const config = testConfig(join(folder, "store"));
  const report = (): void => undefined;
  return {
    host,
    config,
    store: await ImageStore.view(config.storage, host, report),
    transports: new Transports(config, {}, report, host.interrupted),
    report,
  };
}

const preview = async (...wanted: readonly Wanted[]): Promise<readonly ImagePreview[]> => previewChain(await view(), wanted);

async function pulled(...wanted: readonly Wanted[]): Promise<void> {
  await resolveChain(await storeContext(folder), wanted);
}

const states = (images: readonly ImagePreview[]): readonly string[] =>
  images.map(({ image, state }) => `${there(/\/([^/]+)\.tar/.exec(image.url)?.[1])} ${state}`);

describe("images that were never pulled", () => {
  test("their metadata are read from the archives, in the order that a pull finds, and nothing is stored", async () => {
    for (const [start, name] of [
      [`file://${folder}`, "file"],
      [http, "http"],
    ] as const) {
      const url = (image: string): string => `${start}/${name}-${image}.tar.gz`;
      make(`${name}-base`, { settings: [{ name: "Hostname", value: "base" }] });
      make(`${name}-left`, { parents: [url("base")] });
      make(`${name}-right`, { parents: [url("base")], removed: ["Bind"], command: ["right"] });
      make(`${name}-top`, { parents: [url("left"), url("right")] });
      const images = await preview(want(url("top")));
      expect(states(images)).toEqual(["top", "right", "left", "base"].map((image) => `${name}-${image} new`));
      expect(images.map(({ stored, trouble }) => [stored, trouble])).toEqual(Array(4).fill([undefined, undefined]));
      expect(images[1]?.known).toMatchObject({ command: ["right"], removed: ["Bind"] });
      expect(images[3]?.known).toMatchObject({ settings: [{ name: "Hostname", value: "base" }] });
      expect(existsSync(join(folder, "store"))).toBe(false);
    }
  });

  test("an archive without metadata is a plain root", async () => {
    makeArchive(join(folder, "a.tar.gz"), { "etc/issue": "x" });
    expect(await preview(want(file("a")))).toMatchObject([{ state: "new", known: { parents: [], settings: [], command: undefined } }]);
  });

  test("a large archive is not read to its end", async () => {
    make("meta", { command: ["large"] });
    sh(
      folder,
      "mkdir in; cd in; tar -xzf ../meta.tar.gz; head -c 30000000 /dev/urandom > big; tar -czf ../large.tar.gz ./nspawn-image.yaml ./big; rm big",
    );
    const { size } = statSync(join(folder, "large.tar.gz"));
    expect(size).toBeGreaterThan(30_000_000);
    expect(await preview(want(`${http}/large.tar.gz`))).toMatchObject([{ state: "new", known: { command: ["large"] } }]);
    expect(asked).toContain("GET /large.tar.gz");
    // The kernel's buffers take some of what nobody reads.
    expect(sent).toBeLessThan(size / 2);
  });

  test("a name of an image that is nowhere", async () => {
    const images = await preview(want(file("gone")), want(`${http}/gone.tar.gz`));
    expect(states(images)).toEqual(["gone unknown", "gone unknown"]);
    expect(images.map(({ trouble }) => trouble)).toEqual([
      expect.stringMatching(/^HTTP status 404/),
      expect.stringMatching(/^there is no such file/),
    ]);
    expect(images.map(({ stored, known }) => [stored, known])).toEqual(Array(2).fill([undefined, undefined]));
  });

  test("what is no archive is told as a pull would tell it; a name without ./ in one is found", async () => {
    writeFiles(folder, { "page.tar.gz": "<!doctype html><p>sign in</p>" });
    const [page] = await preview(want(`${http}/page.tar.gz`));
    expect(page).toMatchObject({ state: "unknown", trouble: expect.stringMatching(/is no archive: it looks like an HTML page$/) });
    writeFiles(folder, { "plain/nspawn-image.yaml": "profile_entry_list: [Hostname=plain]\n" });
    execFileSync("tar", ["-czf", join(folder, "plain.tar.gz"), "-C", join(folder, "plain"), "nspawn-image.yaml"]);
    const [plain] = await preview(want(`${http}/plain.tar.gz`));
    expect(plain?.known?.settings).toEqual([{ name: "Hostname", value: "plain" }]);
  });
});

describe("images in the store", () => {
  test("one that is fresh is what the store has, and is not read again", async () => {
    make("base", { settings: [{ name: "Hostname", value: "base" }] });
    make("top", { parents: [`${http}/base.tar.gz`], files: { who: "top" } });
    await pulled(want(`${http}/top.tar.gz`));
    asked.length = 0;
    const before = listTree(join(folder, "store"));
    const images = await preview(want(`${http}/top.tar.gz`));
    expect(states(images)).toEqual(["top stored", "base stored"]);
    expect(asked).toEqual(["HEAD /top.tar.gz", "HEAD /base.tar.gz"]);
    expect(images[0]?.stored).toMatchObject({
      digest: digestOf(join(folder, "top.tar.gz")),
      bytes: statSync(join(folder, "top.tar.gz")).size,
    });
    expect(images[1]?.known).toMatchObject({ settings: [{ name: "Hostname", value: "base" }] });
    expect(listTree(join(folder, "store"))).toEqual(before);
  });

  test("one that has changed meanwhile is new, with its new metadata and parents", async () => {
    make("base");
    make("top", { parents: [file("base")] });
    await pulled(want(file("top")));
    make("other");
    make("top", { parents: [file("other")], command: ["newer"] });
    const images = await preview(want(file("top")));
    expect(states(images)).toEqual(["top new", "other new"]);
    expect(images[0]).toMatchObject({ stored: undefined, known: { command: ["newer"] } });
  });

  test("one whose layer was lost is new", async () => {
    make("a");
    await pulled(want(file("a")));
    rmSync(join(folder, "store/extract"), { recursive: true });
    expect(await preview(want(file("a")))).toMatchObject([{ state: "new", stored: undefined }]);
  });

  test("where the server is gone, it is said why, and what the store has is shown", async () => {
    make("base");
    make("top", { parents: [`${http}/base.tar.gz`], command: ["top"] });
    await pulled(want(`${http}/top.tar.gz`));
    isUp = false;
    const images = await preview(want(`${http}/top.tar.gz`));
    expect(states(images)).toEqual(["top unknown", "base unknown"]);
    expect(images[0]).toMatchObject({
      trouble: expect.stringMatching(/^HTTP status 503/),
      stored: { digest: digestOf(join(folder, "top.tar.gz")) },
      known: { command: ["top"] },
    });
  });

  test("a pinned parent that the store has is not asked for, though its URL has moved on or is gone", async () => {
    make("base", { files: { who: "old" } });
    const digest = digestOf(join(folder, "base.tar.gz"));
    make("top", { parents: [{ url: `${http}/base.tar.gz`, digest }] });
    await pulled(want(`${http}/top.tar.gz`), want(`${http}/base.tar.gz`));
    make("base", { files: { who: "new" } });
    asked.length = 0;
    for (const wanted of [want(`${http}/top.tar.gz`), want(`${http}/base.tar.gz`, digest)]) {
      const images = await preview(wanted);
      expect(images.at(-1)).toMatchObject({ state: "stored", stored: { digest } });
    }
    expect(asked).toEqual(["HEAD /top.tar.gz"]);
    unlinkSync(join(folder, "base.tar.gz"));
    expect(await preview(want(`${http}/base.tar.gz`, digest))).toMatchObject([{ state: "stored", stored: { digest } }]);
  });

  test("one archive under two URLs is there once", async () => {
    make("a", { files: { who: "a" } });
    sh(folder, "cp a.tar.gz b.tar.gz");
    await pulled(want(file("a")), want(file("b")));
    expect(states(await preview(want(file("a")), want(file("b"))))).toHaveLength(1);
  });
});

describe("what a pull would refuse", () => {
  test("images that are their own ancestors", async () => {
    make("a", { parents: [file("b")] });
    make("b", { parents: [file("a")] });
    await expect(preview(want(file("a")))).rejects.toThrow(/own ancestors: \S+a\.tar\.gz → \S+b\.tar\.gz → \S+a\.tar\.gz/);
  });

  test("a file of this host as a parent of an image from elsewhere", async () => {
    make("base");
    make("a", { parents: [file("base")] });
    await expect(preview(want(`${http}/a.tar.gz`))).rejects.toThrow(
      /a\.tar\.gz names file:\S+base\.tar\.gz as its parent, a file of this host/,
    );
  });

  test("another content than the script pins, as far as that is known without a download", async () => {
    make("a");
    const other = `sha256:${"0".repeat(64)}`;
    expect(await preview(want(file("a"), other))).toMatchObject([{ state: "new" }]);
    await pulled(want(file("a")));
    await expect(preview(want(file("a"), other))).rejects.toThrow(
      /a\.tar\.gz has the digest sha256:[0-9a-f]{64}, expected is sha256:0{64}/,
    );
    // What a child was built on is only preferred.
    expect(await preview(want(file("a"), other, false))).toMatchObject([{ state: "stored" }]);
  });

  test.each([
    ["a line break in a setting", 'profile_entry_list: ["Hostname=a\\nExecStart=/bin/evil"]'],
    ["no such setting", "profile_entry_list: [ExecStart=/bin/evil]"],
    ["a wrong type", "overlay_url_list: 7"],
    ["a wrong parent", "overlay_url_list: [ftp://example.org/a.tar.gz]"],
    ["no YAML", "a: [b"],
    ["aliases", "a: &a [x, x]\nb: &b [*a, *a]\nprofile_command: *b"],
    ["deep lists", `profile_command: ${"[".repeat(5_000)}`],
    ["a huge file", `profile_command: [${"x".repeat(2_000_000)}]`],
    ["an empty file", ""],
  ])("metadata with %s: an error that names the image, never pulled and pulled", async (_what, yaml) => {
    makeArchive(join(folder, "evil.tar.gz"), { "nspawn-image.yaml": yaml });
    make("top", { parents: [`${http}/evil.tar.gz`] });
    const wrong = /the image \S+\/evil\.tar\.gz has a wrong nspawn-image\.yaml: /;
    await expect(preview(want(file("evil")))).rejects.toThrow(wrong);
    await expect(preview(want(file("top")))).rejects.toThrow(wrong);
    await expect(pulled(want(file("evil")))).rejects.toThrow(wrong);
    await expect(preview(want(file("evil")))).rejects.toThrow(wrong);
  });
});
