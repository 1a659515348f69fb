import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { pull } from "../../src/image/pull.js";
import { layersIn, makeImage, ref, storeContext } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { faultyServer } from "../support/faulty-server.js";
import { testTransports, uploadOf } from "../support/http.js";
import { closedPort, serve } from "../support/server.js";
import { tempFolder } from "../support/temp.js";

const httpTransport = await testTransports().of("http://127.0.0.1/a");

/** An archive to serve. */
function archive(): Buffer {
  const folder = tempFolder();
  makeImage(join(folder, "a.tar.gz"), { files: { who: "http".repeat(5000), random: String(Math.random()).repeat(1000) } });
  return readFileSync(join(folder, "a.tar.gz"));
}

const send = (response: ServerResponse, bytes: Buffer, headers: Record<string, string> = {}): void =>
  void response.writeHead(200, { "content-length": String(bytes.length), ...headers }).end(bytes);

describe("get and probe", () => {
  test("an archive with an ETag is got, and known by it", async () => {
    const bytes = archive();
    const url = await serve((_, response) => send(response, bytes, { etag: '"v1"', "last-modified": "x" }));
    const download = await httpTransport.get(ref(`${url}/a.tar.gz`));
    expect(download.bytes).toBe(bytes.length);
    expect(download.validators).toEqual({ etag: '"v1"' });
    expect(await bytesOf(download.body)).toEqual(bytes);
    expect(await httpTransport.probe(ref(`${url}/a.tar.gz`))).toEqual({ etag: '"v1"' });
  });

  test.each([
    [{ "nspawn-digest": "sha256:x", etag: "e" }, { digest: "sha256:x" }],
    [{ etag: 'W/"e"', "last-modified": "m" }, { etag: 'W/"e"' }],
    [{ "last-modified": "m" }, { modified: "m", length: "3" }],
    [{}, {}],
  ])("of the headers %j the most trusted counts", async (headers, expected) => {
    const url = await serve((_, response) => send(response, Buffer.from("abc"), headers));
    expect(await httpTransport.probe(ref(`${url}/a`))).toEqual(expected);
  });

  test("a server that knows no HEAD says nothing", async () => {
    const url = await serve((request, response) => void response.writeHead(request.method === "HEAD" ? 405 : 200).end());
    expect(await httpTransport.probe(ref(`${url}/a`))).toEqual({});
  });

  test.each([404, 403, 500, 301, 304])("the status %i is an error with the URL", async (status) => {
    const url = await serve((_, response) => void response.writeHead(status).end("<html>sorry</html>"));
    const error = await httpTransport.get(ref(`${url}/a.tar.gz`)).catch((error: unknown) => error);
    expect(String(error)).toContain(`${url}/a.tar.gz: HTTP status ${status}`);
    expect(error).toMatchObject({ status });
    await expect(httpTransport.probe(ref(`${url}/a.tar.gz`))).rejects.toThrow(`HTTP status ${status}`);
  });

  test.each([204, 206, 203])("the status %i is no whole archive, and an error", async (status) => {
    const url = await serve((_, response) => void response.writeHead(status).end());
    if (status === 203) await expect(httpTransport.get(ref(`${url}/a.tar.gz`))).resolves.toBeDefined();
    else await expect(httpTransport.get(ref(`${url}/a.tar.gz`))).rejects.toThrow(`HTTP status ${status}`);
  });

  test("404 comes with what to do", async () => {
    const url = await serve((_, response) => void response.writeHead(404).end());
    await expect(httpTransport.get(ref(`${url}/a.tar.gz`))).rejects.toMatchObject({
      message: `${url}/a.tar.gz: HTTP status 404 Not Found to GET`,
      hint: expect.stringMatching(/check the URL/),
    });
  });

  test("redirects are followed, also to another place", async () => {
    const other = await serve((_, response) => send(response, Buffer.from("there"), { etag: "there" }));
    const url = await serve(
      (request, response) => void response.writeHead(302, { location: request.url === "/a" ? "/b" : `${other}/c` }).end(),
    );
    const { body, validators } = await httpTransport.get(ref(`${url}/a`));
    expect((await bytesOf(body)).toString()).toBe("there");
    expect(validators).toEqual({ etag: "there" });
    expect(await httpTransport.probe(ref(`${url}/a`))).toEqual({ etag: "there" });
  });

  test("redirects in a circle are an error that says so", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(302, { location: "/a" }).end();
    });
    await expect(httpTransport.get(ref(`${url}/a`))).rejects.toThrow(`${url}/a: redirects go in a circle: 1 to ${url}/a again`);
    expect(asked).toBe(1);
  });

  test("more than ten redirects are an error that names the end of the chain, but not what may be a secret in it", async () => {
    const url = await serve(
      (request, response) =>
        void response.writeHead(307, { location: `http://u:hunter2@${request.headers.host}${request.url}x?key=hunter2` }).end(),
    );
    const error: unknown = await httpTransport.get(ref(`${url}/a`)).catch((error: unknown) => error);
    expect(String(error)).toMatch(/\/a: more than 10 redirects, the last one to http:\/\/127\.0\.0\.1:\d+\/a.*\?…$/);
    expect(inspect(error, { depth: 20 })).not.toContain("hunter2");
  });

  test.each([
    ["file:///etc/passwd", "redirects to file:///etc/passwd: only http: and https: are followed", /another URL$/],
    ["ftp://me:hunter2@example.org/a", "redirects to ftp://example.org/a: only http: and https: are followed", /another URL$/],
    ["http://[", "redirects to what is no URL", undefined],
  ])("a redirect to %s is an error", async (location, message, hint) => {
    const url = await serve((_, response) => void response.writeHead(302, { location }).end());
    await expect(httpTransport.get(ref(`${url}/a`))).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: hint ? expect.stringMatching(hint) : undefined,
    });
  });

  test.each([
    [404, /redirects to where it is not/],
    [403, /gets no login/],
  ])("the status %i behind a redirect says where that led, but not what may be a secret in it", async (status, hint) => {
    const other = await serve((_, response) => void response.writeHead(status).end());
    const url = await serve(
      (_, response) => void response.writeHead(302, { location: `${other.replace("//", "//me:hunter2@")}/c?key=hunter2` }).end(),
    );
    await expect(httpTransport.get(ref(`${url}/a`))).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`^${url}/a: HTTP status ${status} .* to GET, redirected to ${other}/c\\?…$`)),
      hint: expect.stringMatching(hint),
    });
  });

  test("a redirect to a port where nobody listens says so", async () => {
    const port = await closedPort();
    const url = await serve((_, response) => void response.writeHead(302, { location: `http://127.0.0.1:${port}/b` }).end());
    const transport = await testTransports(["[network]tries=1"]).of(`${url}/a`);
    await expect(transport.get(ref(`${url}/a`))).rejects.toThrow(
      new RegExp(`^${url}/a: GET failed, redirected to http://127.0.0.1:${port}/b: .*ECONNREFUSED`),
    );
  });

  test("a port where nobody listens is told", async () => {
    const port = await closedPort();
    await expect(httpTransport.get(ref(`http://127.0.0.1:${port}/a`))).rejects.toThrow(
      new RegExp(`^http://127\\.0\\.0\\.1:${port}/a: GET failed: .*ECONNREFUSED`),
    );
  });

  test("a host that is not there is told", async () => {
    await expect(httpTransport.get(ref("http://no-such-host.invalid/a"))).rejects.toThrow(
      /^http:\/\/no-such-host\.invalid\/a: GET failed: ./,
    );
  });

  test("a server that is no HTTP server is told", async () => {
    const { createServer: createTcp } = await import("node:net");
    const server = createTcp((socket) => void socket.on("error", () => undefined).end("SSH-2.0-x\r\n")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    await expect(httpTransport.get(ref(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a`))).rejects.toThrow(/GET failed: ./);
  });

  test("the body is not decompressed on the way, even if the server names an encoding", async () => {
    const bytes = archive();
    const url = await serve((_, response) => send(response, bytes, { "content-encoding": "gzip" }));
    const { body } = await httpTransport.get(ref(`${url}/a.tar.gz`));
    expect(await bytesOf(body)).toEqual(bytes);
  });
});

describe("put", () => {
  async function storing(status: number) {
    const stored = new Map<string, Buffer>();
    const requests: IncomingMessage[] = [];
    const url = await serve(async (request, response) => {
      requests.push(request);
      if (request.method === "PUT") {
        const bytes = await buffer(request);
        if (status < 300) stored.set(request.url ?? "", bytes);
        response.writeHead(status).end();
      } else send(response, stored.get(request.url ?? "") ?? Buffer.alloc(0), { etag: `"${stored.size}"` });
    });
    return { url, stored, requests };
  }

  test.each([200, 201, 204])("an archive is put whole, the status %i is success", async (status) => {
    const { url, stored, requests } = await storing(status);
    const content = Buffer.alloc(3_000_000, "abc");
    await httpTransport.put(ref(`${url}/x/a%20b.tar.gz`), uploadOf(content));
    expect(stored.get("/x/a%20b.tar.gz")?.equals(content)).toBe(true);
    expect(requests[0]?.headers["content-length"]).toBe("3000000");
  });

  test.each([
    [401, /login in \[auth\/127\.0\.0\.1\]/],
    [403, /login/],
    [405, /dav_methods PUT/],
    [409, /create_full_put_path/],
    [413, /client_max_body_size/],
    [507, /no room left/],
  ])("the status %i is an error that says what to do, and is not tried again", async (status, hint) => {
    const { url, requests } = await storing(status);
    await expect(httpTransport.put(ref(`${url}/a.tar.gz`), uploadOf("x"))).rejects.toMatchObject({
      message: expect.stringContaining(`${url}/a.tar.gz: HTTP status ${status}`),
      hint: expect.stringMatching(hint),
    });
    expect(requests).toHaveLength(1);
  });

  test("the status 500 is an error that says where to look, after all tries", async () => {
    const { url, requests } = await storing(500);
    const transport = await testTransports(["[network]tries=2"]).of(`${url}/a.tar.gz`);
    await expect(transport.put(ref(`${url}/a.tar.gz`), uploadOf("x"))).rejects.toMatchObject({
      message: `${url}/a.tar.gz: HTTP status 500 Internal Server Error to PUT (tried 2 times)`,
      hint: "the server's log tells why: its disk may be full",
    });
    expect(requests).toHaveLength(2);
  });

  test("a redirect of a PUT is an error, not silently followed as a GET", async () => {
    const url = await serve((request, response) => {
      request.resume();
      response.writeHead(302, { location: "/other" }).end();
    });
    await expect(httpTransport.put(ref(`${url}/a.tar.gz`), uploadOf("x"))).rejects.toMatchObject({
      message: expect.stringContaining("HTTP status 302"),
      hint: expect.stringContaining("uploads are not redirected"),
    });
  });
});

describe("pulls over HTTP", () => {
  const empty = (folder: string): void => {
    for (const name of ["extract", "tempdir", "record"]) expect(readdirSync(join(folder, "store", name)), name).toEqual([]);
  };

  test("an image that did not change is asked for, not got again", async () => {
    const bytes = archive();
    const methods: string[] = [];
    const url = await serve((request, response) => {
      methods.push(request.method ?? "");
      send(response, bytes, { etag: '"v1"' });
    });
    const context = await storeContext(tempFolder());
    const first = await pull(context, ref(`${url}/a.tar.gz`));
    expect((await pull(context, ref(`${url}/a.tar.gz`))).layer).toEqual(first.layer);
    expect(methods.filter((method) => method === "GET")).toHaveLength(1);
  });

  test("an image that changed is got again", async () => {
    let bytes = archive();
    const url = await serve((_, response) => send(response, bytes, { etag: String(bytes.length) + bytes.subarray(-8).toString("hex") }));
    const context = await storeContext(tempFolder());
    const first = await pull(context, ref(`${url}/a.tar.gz`));
    bytes = archive();
    expect((await pull(context, ref(`${url}/a.tar.gz`))).layer.digest).not.toBe(first.layer.digest);
  });

  test("a server that says nothing of freshness is read each time", async () => {
    const bytes = archive();
    let gets = 0;
    const url = await serve((request, response) => {
      if (request.method === "GET") gets++;
      response.writeHead(200).end(bytes);
    });
    const context = await storeContext(tempFolder());
    const layers = [await pull(context, ref(`${url}/a.tar.gz`)), await pull(context, ref(`${url}/a.tar.gz`))].map(({ layer }) => layer);
    expect(gets).toBe(2);
    expect(layers[0]).toEqual(layers[1]);
  });

  test("a body that ends early is an error that names the URL, and leaves nothing", async () => {
    const bytes = archive();
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": String(bytes.length) });
      response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
    });
    const folder = tempFolder();
    await expect(pull(await storeContext(folder), ref(`${url}/a.tar.gz`))).rejects.toThrow(`${url}/a.tar.gz`);
    empty(folder);
  });

  test("a body of an unknown length that ends early is an error that names the URL, and leaves nothing", async () => {
    const bytes = archive();
    const url = await serve((_, response) => void response.writeHead(200).end(bytes.subarray(0, bytes.length / 2)));
    const folder = tempFolder();
    await expect(pull(await storeContext(folder), ref(`${url}/a.tar.gz`))).rejects.toThrow(/a\.tar\.gz cannot be extracted: /);
    empty(folder);
  });

  test.each([0, 1, 200])(
    "an image that changes when %i bytes of it are there is got as it is then, and nothing is left of the other",
    async (at) => {
      const [before, after] = [archive(), archive()];
      const server = await faultyServer(
        (get) => (get > 1 ? { content: after, headers: { etag: '"2"' } } : { content: before, headers: { etag: '"1"' } }),
        [[{ kind: "cut", at }]],
      );
      const folder = tempFolder();
      const context = await storeContext(folder);
      const { layer } = await pull(context, ref(server.url));
      expect(layer.digest).toBe(`sha256:${createHash("sha256").update(after).digest("hex")}`);
      expect(layersIn(join(folder, "store"))).toEqual([layer.id]);
      expect(readdirSync(join(folder, "store/tempdir"))).toEqual([]);
      expect(context.warnings().at(-1)).toMatch(/; it starts anew$/);
    },
  );

  test("a page that says sorry in place of an archive is told", async () => {
    const url = await serve(
      (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>please log in</html>"),
    );
    const folder = tempFolder();
    await expect(pull(await storeContext(folder), ref(`${url}/a.tar.gz`))).rejects.toThrow(/a\.tar\.gz is no archive: /);
    empty(folder);
  });

  test("a connection that breaks in the body is told as such", async () => {
    const bytes = archive();
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": String(bytes.length) });
      response.write(bytes.subarray(0, 100), () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
    });
    const folder = tempFolder();
    await expect(pull(await storeContext(folder), ref(`${url}/a.tar.gz`))).rejects.toMatchObject({ name: "TransferError" });
    empty(folder);
  });
});
