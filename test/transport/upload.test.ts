import { createHash, randomBytes } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { ref } from "../support/archive.js";
import { testTransports, uploadOf } from "../support/http.js";
import { serve, serveTcp } from "../support/server.js";

const content = randomBytes(2_000_000);
const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server that stores what is put, whole; `puts` and `heads` answer the first requests in its place. */
async function store({ puts = [], heads = [] }: { readonly puts?: readonly Answer[]; readonly heads?: readonly Answer[] }) {
  const stored = new Map<string, Buffer>();
  const requests: { readonly method: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  const counts = { PUT: 0, HEAD: 0 };
  const origin = await serve(async (request, response) => {
    request.on("error", () => undefined);
    const { method, headers, url = "" } = request;
    requests.push({ method, headers });
    const faults = method === "PUT" ? puts : heads;
    const fault = faults[counts[method === "PUT" ? "PUT" : "HEAD"]++];
    if (fault) return void fault(request, response);
    if (method === "PUT") {
      const received = await buffer(request).catch(() => undefined);
      if (received) stored.set(url, received);
      response.writeHead(201).end();
    } else response.writeHead(stored.has(url) ? 200 : 404, { "content-length": String(stored.get(url)?.length ?? 0) }).end();
  });
  const url = `${origin}/a.tar.gz`;
  const opened = testTransports();
  const put = async (): Promise<void> => (await opened.of(url)).put(ref(url), uploadOf(content));
  return { ...opened, url, put, requests, stored: () => stored.get("/a.tar.gz"), methods: () => requests.map(({ method }) => method) };
}

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (request, response) => {
    request.resume();
    request.once("end", () => response.writeHead(code, headers).end());
  };

describe("an upload", () => {
  test("comes with its length and digest, is verified, and metered", async () => {
    const server = await store({});
    await server.put();
    expect(server.stored()?.equals(content)).toBe(true);
    expect(server.methods()).toEqual(["PUT", "HEAD"]);
    expect(server.requests[0]?.headers).toMatchObject({ "content-length": "2000000", "nspawn-digest": digest });
    expect(server.requests[0]?.headers["transfer-encoding"]).toBeUndefined();
    expect(server.requests[1]?.headers["cache-control"]).toBe("no-cache");
    const transfers = server.events.filter(({ kind }) => kind === "transfer");
    expect(transfers.at(-1)).toEqual({
      kind: "transfer",
      url: server.url,
      direction: "up",
      bytes: content.length,
      total: content.length,
      done: true,
    });
  });

  test("that breaks off or fails for a moment is tried again, from its start", async () => {
    const server = await store({
      puts: [
        (request) => void request.once("data", () => request.socket.resetAndDestroy()),
        status(503),
        status(429, { "retry-after": "0" }),
        (request, response) => void request.once("data", () => response.writeHead(500).end()),
      ],
    });
    await server.put();
    expect(server.stored()?.equals(content)).toBe(true);
    expect(server.warnings()).toHaveLength(4);
    expect(server.warnings()[1]).toMatch(/HTTP status 503 Service Unavailable to PUT; next try in/);
  });

  test.each<[string, Answer]>([
    ["another length", status(200, { "content-length": "1" })],
    ["another digest", status(200, { "nspawn-digest": `sha256:${"0".repeat(64)}` })],
    ["nothing", status(404)],
    ["an error for a moment", status(502)],
  ])("after which the server has %s is tried again", async (_, wrong) => {
    const server = await store({ heads: [wrong] });
    await server.put();
    expect(server.methods()).toEqual(["PUT", "HEAD", "PUT", "HEAD"]);
    expect(server.warnings()).toHaveLength(1);
  });

  test("after which the server never has it is an error that says what it has", async () => {
    const server = await store({ heads: Array<Answer>(9).fill(status(200, { "content-length": "1" })) });
    await expect(server.put()).rejects.toThrow(`${server.url}: after the upload, the server has 1 bytes, not 2000000 (tried 5 times)`);
  });

  test.each([403, 405, 501])("is accepted where the server answers %i to HEAD, which is told", async (code) => {
    const server = await store({ heads: [status(code)] });
    await server.put();
    expect(server.warnings()).toEqual([]);
    expect(server.events).toContainEqual({ kind: "detail", text: expect.stringContaining(`HTTP status ${code} to HEAD`) });
  });

  test.each([401, 413])("of a large file that is refused with %i on its head is not sent", async (code) => {
    let received = 0;
    const port = await serveTcp((socket) => {
      let answered = false;
      socket.on("data", (chunk) => {
        received += chunk.length;
        if (answered) return;
        answered = true;
        setTimeout(() => socket.write(`HTTP/1.1 ${code} No\r\ncontent-length: 0\r\n\r\n`), 30);
      });
    });
    const url = `http://127.0.0.1:${port}/a.tar.gz`;
    const { of } = testTransports();
    await expect((await of(url)).put(ref(url), uploadOf(Buffer.alloc(100_000_000)))).rejects.toMatchObject({ status: code });
    expect(received).toBeLessThan(1_000_000);
  });

  test("of a large file is asked for first, and sent to a server that says nothing to that after a second", async () => {
    const port = await serveTcp((socket) => {
      let text = "";
      let head = 0;
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
        if (head === 0) head = text.indexOf("\r\n\r\n") + 4;
        if (text.startsWith("HEAD")) return void socket.end("HTTP/1.1 405 No\r\n\r\n");
        if (text.length === head + content.length) socket.end("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n");
      });
    });
    const url = `http://127.0.0.1:${port}/a.tar.gz`;
    const { of, warnings } = testTransports();
    const started = performance.now();
    await (await of(url)).put(ref(url), uploadOf(content));
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(warnings()).toEqual([]);
  });

  test("is sent at once where it is small, or the server wants it", async () => {
    const server = await store({});
    const started = performance.now();
    await server.put();
    await (await server.of(server.url)).put(ref(server.url), uploadOf("small"));
    expect(performance.now() - started).toBeLessThan(900);
    expect(server.requests.filter(({ method }) => method === "PUT").map(({ headers }) => headers.expect)).toEqual([
      "100-continue",
      undefined,
    ]);
  });

  test("is sent without being asked for to a server that does not want that", async () => {
    const server = await store({ puts: [status(417)] });
    await server.put();
    expect(server.methods()).toEqual(["PUT", "PUT", "HEAD"]);
    expect(server.requests.map(({ headers }) => headers.expect)).toEqual(["100-continue", undefined, undefined]);
    expect(server.stored()?.equals(content)).toBe(true);
    expect(server.warnings()).toEqual([]);
  });

  test.each([1, 300_000, 1_500_000])(
    "that is refused after %i bytes, with the connection closed, has that answer as its result",
    async (at) => {
      let connections = 0;
      const port = await serveTcp((socket) => {
        connections++;
        let received = 0;
        socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        socket.on("data", (chunk) => {
          received += chunk.length;
          if (received < at) return;
          socket.removeAllListeners("data").pause();
          socket.end("HTTP/1.1 403 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", () => socket.destroy());
        });
      });
      const url = `http://127.0.0.1:${port}/a.tar.gz`;
      const { of, warnings } = testTransports();
      const upload = uploadOf(Buffer.alloc(50_000_000));
      for (let count = 0; count < 20; count++) {
        await expect((await of(url)).put(ref(url), upload)).rejects.toMatchObject({ status: 403 });
      }
      expect(warnings()).toEqual([]);
      expect(connections).toBe(20);
    },
  );

  test("whose file cannot be read is told, and ends the request", async () => {
    const server = await store({});
    const upload = { ...uploadOf(content), path: "/nowhere/at/all" };
    await expect((await server.of(server.url)).put(ref(server.url), upload)).rejects.toThrow(/PUT failed: ENOENT/);
    expect(server.stored()).toBeUndefined();
  });

  test("that the server does not take any more of ends after read_timeout", async () => {
    const port = await serveTcp((socket) => void socket.write("HTTP/1.1 100 Continue\r\n\r\n", () => socket.pause()));
    const url = `http://127.0.0.1:${port}/a.tar.gz`;
    const { of } = testTransports(["[network]read_timeout=0.5", "[network]tries=1"]);
    await expect((await of(url)).put(ref(url), uploadOf(Buffer.alloc(30_000_000)))).rejects.toThrow(/no answer came in time/);
  });

  test("is ended by an interrupt", async () => {
    const port = await serveTcp(() => undefined);
    const url = `http://127.0.0.1:${port}/a.tar.gz`;
    const controller = new AbortController();
    const reason = new Error("interrupted");
    setTimeout(() => controller.abort(reason), 100);
    const { of } = testTransports([], { interrupted: controller.signal });
    await expect((await of(url)).put(ref(url), uploadOf(content))).rejects.toBe(reason);
  });
});
