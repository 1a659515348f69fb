import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { askNewer } from "../../../src/engine/machine/newer.js";
import { LocalHost } from "../../../src/host/local.js";
import { ImageStore } from "../../../src/image/store.js";
import { fileTransport } from "../../../src/transport/file.js";
import { ref } from "../../support/archive.js";
import { testConfig } from "../../support/config.js";
import { digest } from "../../support/inventory.js";
import { closedPort, serve } from "../../support/server.js";
import { tempFolder } from "../../support/temp.js";

const [now, before] = [digest("now"), digest("before")];

/** A store that knows a URL with a digest and an ETag, and asks what is there now. */
async function lab(records: readonly { readonly url: string; readonly digest: string; readonly etag: string }[], seconds = 20) {
  const host = new LocalHost();
  const config = testConfig(tempFolder(), `[network]check_timeout=${seconds}`);
  const store = await ImageStore.open(config.storage, host, () => undefined);
  for (const { url, digest, etag } of records) await store.setRecord(ref(url), digest, { etag });
  return {
    store,
    ask: (urls: readonly string[]) =>
      askNewer(
        { host, config, report: () => undefined },
        store,
        urls.map((url) => ({ url, digest: now })),
      ),
  };
}

test("a URL is told apart by what the store knows of it, each is asked once", async () => {
  const asked: string[] = [];
  const server = await serve(({ method, url = "" }, response) => {
    asked.push(`${method} ${url}`);
    response.setHeader("etag", '"1"').end();
  });
  const url = `${server}/image.tar.zst`;
  const { store, ask } = await lab([{ url, digest: now, etag: '"1"' }]);
  const same = await ask([url, url]);
  expect(same({ url, digest: now })).toEqual({ answer: "no" });
  // A machine on what the URL was before has another one.
  expect(same({ url, digest: before })).toEqual({ answer: "yes" });
  expect(asked).toEqual(["HEAD /image.tar.zst"]);
  await store.setRecord(ref(url), now, { etag: '"0"' });
  expect((await ask([url]))({ url, digest: now })).toEqual({ answer: "yes" });
});

test("a server that names the digest needs no record, and the record no server's word", async () => {
  const server = await serve((_, response) => void response.setHeader("nspawn-digest", now).end());
  const { ask } = await lab([]);
  const answers = await ask([`${server}/a.tar`]);
  expect(answers({ url: `${server}/a.tar`, digest: now })).toEqual({ answer: "no" });
  expect(answers({ url: `${server}/a.tar`, digest: before })).toEqual({ answer: "yes" });
});

test("whatever cannot be asked is not known, within the time for it, and never up to date", async () => {
  const silent = await serve(() => undefined);
  const broken = await serve((_, response) => void response.writeHead(500).end());
  const plain = await serve((_, response) => void response.end());
  const gone = `http://127.0.0.1:${await closedPort()}`;
  const urls = [silent, broken, plain, gone].map((server) => `${server}/a.tar`);
  const { ask } = await lab(
    urls.map((url) => ({ url, digest: now, etag: '"1"' })),
    1,
  );
  const began = performance.now();
  const answers = await ask([...urls, "file:///nonexistent/a.tar", "gopher://x/y"]);
  expect(performance.now() - began).toBeLessThan(5000);
  const whys = [/no answer within 1 s/, /HTTP status 500/, /does not tell versions apart/, /ECONNREFUSED|refused/, /a\.tar/, /gopher/];
  for (const [at, url] of [...urls, "file:///nonexistent/a.tar", "gopher://x/y"].entries()) {
    expect(answers({ url, digest: now })).toEqual({ answer: "unknown", why: expect.stringMatching(whys[at] as RegExp) });
  }
  expect(answers({ url: "http://h/never-asked.tar", digest: now })).toMatchObject({ answer: "unknown" });
});

test("a file that is replaced is newer, one that the store has never pulled is not known", async () => {
  const folder = tempFolder();
  const [url, other] = ["image.tar", "other.tar"].map((name) => pathToFileURL(join(folder, name)).href) as [string, string];
  for (const name of ["image.tar", "other.tar"]) writeFileSync(join(folder, name), "1");
  const { store, ask } = await lab([]);
  await store.setRecord(ref(url), now, await fileTransport.probe(ref(url)));
  const answers = await ask([url, other]);
  expect(answers({ url, digest: now })).toEqual({ answer: "no" });
  expect(answers({ url: other, digest: now })).toMatchObject({ answer: "unknown", why: "the store has never pulled this URL" });
  writeFileSync(join(folder, "image.tar"), "22");
  expect((await ask([url]))({ url, digest: now })).toEqual({ answer: "yes" });
});

test("many URLs are asked at once, without a warning of Node's", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  const silent = await serve(() => undefined);
  const urls = Array.from({ length: 15 }, (_, number) => `${silent}/${number}.tar`);
  const { ask } = await lab([], 1);
  const answers = await ask(urls);
  for (const url of urls) expect(answers({ url, digest: now })).toEqual({ answer: "unknown", why: "no answer within 1 s" });
  expect(warnings).toEqual([]);
});
