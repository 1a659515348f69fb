import { createHash, randomBytes } from "node:crypto";
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { ChangedError } from "../../src/transport/failure.js";
import { ref } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { type Fault, type FaultyServer, faultyServer, type Served } from "../support/faulty-server.js";
import { testTransports } from "../support/http.js";
import { serveTcp } from "../support/server.js";

const content = randomBytes(300_000);
const other = randomBytes(300_000);
const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
const long = "Wed, 01 Jan 2020 00:00:00 GMT";

const always = (served: Served) => (): Served => served;

/** What is read from a server, and what was said. */
async function download({ url }: FaultyServer, ...overrides: readonly string[]) {
  const { of, warnings } = testTransports(overrides);
  const { body, bytes } = await (await of(url)).get(ref(url));
  return { read: await bytesOf(body), bytes, warnings };
}

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined).catch((error: unknown) => error);

describe("a download that breaks off", () => {
  const places = [0, 1, 65_536, 150_000, content.length - 1];

  test.each(places.flatMap((at) => (["cut", "reset"] as const).map((kind) => [kind, at] as const)))(
    "by a %s at byte %i goes on there",
    async (kind, at) => {
      const server = await faultyServer(always({ content }), [[{ kind, at }]]);
      const { read, bytes, warnings } = await download(server);
      expect(read.equals(content)).toBe(true);
      expect(bytes).toBe(content.length);
      expect(server.gets).toHaveLength(2);
      // A reset may outrun what was sent before it.
      const [, from] = /^bytes=(\d+)-$/.exec(server.gets[1]?.range ?? "bytes=0-") ?? [];
      expect(Number(from)).toBeLessThanOrEqual(at);
      if (from !== "0") expect(server.gets[1]?.["if-range"]).toBe('"300000"');
      expect(warnings()).toEqual([
        expect.stringMatching(/\/a\.tar\.gz: the download broke off: .*; next try in \d+\.\d s \(2 of 5\); \d+ of 300000 bytes are there$/),
      ]);
    },
  );

  test("stalls goes on after read_timeout", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "stall", at: 100_000 }], [{ kind: "stall", at: 0 }]]);
    const { read, warnings } = await download(server, "[network]read_timeout=0.3");
    expect(read.equals(content)).toBe(true);
    expect(warnings()).toEqual([
      expect.stringContaining("nothing came for too long"),
      expect.stringContaining("nothing came for too long"),
    ]);
  });

  test("comes too slowly goes on with another connection", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "drip", bytes: 10, pause: 50 }]]);
    const { read, warnings } = await download(server, "[network]read_timeout=0.4");
    expect(read.equals(content)).toBe(true);
    expect(warnings()).toEqual([expect.stringMatching(/broke off: only \d+ bytes came in .*; \d+ of 300000 bytes are there$/)]);
  });

  test("comes too slowly once is not taken for slow on the next connection", async () => {
    const drips: Fault[][] = [[{ kind: "drip", bytes: 10, pause: 150 }], [{ kind: "drip", bytes: 500, pause: 1 }]];
    const server = await faultyServer(always({ content }), drips);
    const { read, warnings } = await download(server, "[network]read_timeout=0.4");
    expect(read.equals(content)).toBe(true);
    expect(warnings()).toHaveLength(1);
  });

  test("behind its last byte is complete", async () => {
    const server = await faultyServer(always({ content, headers: {} }), [[{ kind: "reset", at: content.length }]]);
    const { read, warnings } = await download(server);
    expect(read.equals(content)).toBe(true);
    expect(server.gets).toHaveLength(1);
    expect(warnings()).toEqual([]);
  });

  test("behind the last byte of its rest, in chunks without an end, is complete", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "cut", at: 1000 }], [{ kind: "chunked", at: content.length - 1000 }]]);
    const { read } = await download(server);
    expect(read.equals(content)).toBe(true);
    expect(server.gets).toHaveLength(2);
  });

  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ["nothing", {}, true],
    ["the same ETag", { etag: '"300000"' }, true],
    ["another ETag", { etag: '"other"' }, false],
  ])(
    "where only the end of the chunks is missing is complete by an answer 416 that tells its length and %s of the version",
    async (_, headers, complete) => {
      const range = { "content-range": `bytes */${content.length}`, ...headers };
      const server = await faultyServer(always({ content }), [
        [{ kind: "chunked", at: content.length }],
        [{ kind: "status", status: 416, headers: range }],
      ]);
      const outcome = await download(server).catch((error: unknown) => error);
      expect(outcome instanceof ChangedError).toBe(!complete);
      expect(server.gets).toHaveLength(2);
    },
  );

  test("and such an answer, of which the rest never comes, is not kept open", async () => {
    let closed = 0;
    const answers = [
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\netag: "a"\r\n\r\n5\r\nhello\r\n',
      'HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */5\r\netag: "a"\r\ncontent-length: 100\r\n\r\n',
    ];
    const port = await serveTcp((socket) => {
      socket.on("close", () => closed++);
      socket.once("data", () => {
        const text = answers.shift() ?? "";
        if (answers.length > 0) socket.end(text);
        else socket.write(text);
      });
    });
    const { of } = testTransports();
    const url = `http://127.0.0.1:${port}/a.tar.gz`;
    expect(String(await bytesOf((await (await of(url)).get(ref(url))).body))).toBe("hello");
    await vi.waitFor(() => expect(closed).toBe(2));
  });

  test("again and again goes on, as long as each time some more of it comes", async () => {
    const faults: Fault[][] = [70_000, 70_000, 70_000, 70_000].map((at) => [{ kind: "cut", at }]);
    const server = await faultyServer(always({ content }), faults);
    const { read } = await download(server, "[network]tries=2");
    expect(read.equals(content)).toBe(true);
    expect(server.gets.map(({ range }) => range)).toEqual([undefined, ...[1, 2, 3, 4].map((n) => `bytes=${n * 70_000}-`)]);
  });

  test("again and again with little progress fails after all tries, which the error tells", async () => {
    const server = await faultyServer(always({ content }), Array<Fault[]>(20).fill([{ kind: "cut", at: 10 }]));
    await expect(download(server, "[network]tries=3")).rejects.toThrow(
      /the download broke off: .* \(tried 3 times; 30 of 300000 bytes are there\)$/,
    );
    expect(server.gets).toHaveLength(3);
  });

  test("waits for a server that is busy, as long as it asks", async () => {
    const server = await faultyServer(always({ content }), [
      [{ kind: "cut", at: 5000 }],
      [{ kind: "status", status: 503 }],
      [{ kind: "status", status: 429, headers: { "retry-after": "0" } }],
    ]);
    const { read, warnings } = await download(server);
    expect(read.equals(content)).toBe(true);
    expect(warnings().slice(1)).toEqual([
      expect.stringContaining("HTTP status 503 Service Unavailable to GET"),
      expect.stringMatching(/HTTP status 429 Too Many Requests to GET; next try in 0\.0 s \(4 of 5\); 5000 of 300000 bytes are there$/),
    ]);
  });

  test("of a file that is gone by then is an error", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "cut", at: 5000 }], [{ kind: "status", status: 404 }]]);
    await expect(download(server)).rejects.toMatchObject({ status: 404, message: expect.stringContaining("HTTP status 404") });
  });

  test.each<[string, Served["headers"]]>([
    ["a strong ETag", { etag: '"x"' }],
    ["an old date", { "last-modified": long }],
    ["a digest alone", { "nspawn-digest": digest }],
  ])("goes on by %s", async (_, headers) => {
    const server = await faultyServer(always({ content, headers: headers ?? {} }), [[{ kind: "cut", at: 100_000 }]]);
    expect((await download(server)).read.equals(content)).toBe(true);
    expect(server.gets[1]?.range).toBe("bytes=100000-");
  });

  test.each<[string, Served["headers"]]>([
    ["nothing", {}],
    ["a weak ETag", { etag: 'W/"x"' }],
    ["a date of this second", { "last-modified": new Date(Date.now() + 60_000).toUTCString() }],
  ])("does not go on where the server tells %s of the version", async (_, headers) => {
    const server = await faultyServer(always({ content, headers: headers ?? {} }), [[{ kind: "cut", at: 100_000 }]]);
    const error = await failure(download(server));
    expect(error).toBeInstanceOf(ChangedError);
    expect(String(error)).toMatch(/broke off at 100000 of 300000 bytes and cannot go on: the server says nothing/);
    expect(server.gets).toHaveLength(1);
  });

  test("goes on from a server without ranges, past what it has already", async () => {
    const server = await faultyServer(always({ content }), [
      [{ kind: "cut", at: 100_000 }],
      [{ kind: "no-range" }, { kind: "cut", at: 50_000 }],
      [{ kind: "no-range" }],
    ]);
    expect((await download(server)).read.equals(content)).toBe(true);
  });

  test("in chunks of an unknown length goes on, also where only the end is missing", async () => {
    for (const at of [5000, content.length]) {
      const server = await faultyServer(always({ content }), [[{ kind: "chunked", at }]]);
      const { read, bytes } = await download(server);
      expect(bytes).toBeUndefined();
      expect(read.equals(content)).toBe(true);
    }
  });

  test.each<[string, readonly Fault[], Served["headers"]]>([
    ["as it should", [], undefined],
    ["without looking at If-Range", [{ kind: "ignore-if-range" }], undefined],
    ["without an ETag any more", [{ kind: "ignore-if-range" }], {}],
  ])("of a file that is another one by then cannot go on: the server answers %s", async (_, faults, headers) => {
    const changed: Served = { content: other, headers: headers ?? { etag: '"other"' } };
    const server = await faultyServer(
      (get) => (get > 1 ? changed : { content, headers: { etag: '"one"' } }),
      [[{ kind: "cut", at: 100_000 }], faults],
    );
    const error = await failure(download(server));
    expect(error).toBeInstanceOf(ChangedError);
    expect(String(error)).toContain("the server has other content by now");
  });

  test.each([
    ["another start", "bytes 99999-299999/300000"],
    ["another total", "bytes 100000-299999/300001"],
    ["an end behind the total", "bytes 100000-300000/300000"],
    ["nonsense", "bytes 1-2-3"],
  ])("cannot go on with an answer for %s", async (_, text) => {
    const server = await faultyServer(always({ content }), [
      [{ kind: "cut", at: 100_000 }],
      [{ kind: "headers", headers: { "content-range": text } }],
    ]);
    const error = await failure(download(server));
    expect(error).toBeInstanceOf(ChangedError);
    expect(String(error)).toMatch(/does not fit|it was announced with/);
  });

  test("any number of times, anywhere, gives the same bytes", async () => {
    const size = content.length;
    const fault = fc.oneof(
      fc.record({ kind: fc.constantFrom("cut" as const, "reset" as const), at: fc.integer({ min: 0, max: size }) }),
      fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(408, 425, 429, 500, 502, 503, 504) }),
      fc.record({ kind: fc.constant("chunked" as const), at: fc.integer({ min: 0, max: size }) }),
    );
    const withRange = fc
      .tuple(fault, fc.boolean())
      .map(([one, whole]): Fault[] => [one, ...(whole ? [{ kind: "no-range" } as const] : [])]);
    await fc.assert(
      fc.asyncProperty(fc.array(withRange, { maxLength: 8 }), async (faults) => {
        const server = await faultyServer(always({ content }), faults);
        expect((await download(server, "[network]tries=10", "[network]retry_pause=0.001")).read.equals(content)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

describe("a download", () => {
  test("of which more is announced than comes is an error, whatever is tried", async () => {
    const lie: Fault[] = [
      { kind: "headers", headers: { "content-length": "300100" } },
      { kind: "cut", at: content.length },
    ];
    const server = await faultyServer(always({ content }), Array<Fault[]>(20).fill(lie));
    expect(await failure(download(server))).toBeInstanceOf(ChangedError);
  });

  test("of which less is announced than comes ends with what was announced, as HTTP has it", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "headers", headers: { "content-length": "299900" } }]]);
    const { read, bytes } = await download(server);
    expect([read.length, bytes]).toEqual([299_900, 299_900]);
  });

  test("asks for the archive as it is, and refuses one that was compressed on the way", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "headers", headers: { "content-encoding": "br" } }]]);
    await expect(download(server)).rejects.toMatchObject({
      message: expect.stringContaining('with the encoding "br"'),
      hint: expect.any(String),
    });
    expect(server.gets[0]?.["accept-encoding"]).toBe("identity");
  });

  test.each(["pause", "answer", "body"] as const)("ends at once by an interrupt in a %s", async (where) => {
    const faults: Fault[] =
      where === "body" ? [{ kind: "stall", at: 1000 }] : [{ kind: "status", status: 503, headers: { "retry-after": "30" } }];
    const server = await faultyServer(always({ content }), [where === "answer" ? [{ kind: "stall", at: 0 }] : faults]);
    const controller = new AbortController();
    const reason = new Error("interrupted");
    setTimeout(() => controller.abort(reason), 200);
    const started = performance.now();
    const { of } = testTransports([], { interrupted: controller.signal });
    await expect((async () => bytesOf((await (await of(server.url)).get(ref(server.url))).body))()).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("that somebody reads slowly is whole, wherever the server closes the connection behind it", async () => {
    const sizes = Array.from({ length: 16 }, (_, index) => 300_000 + index * 70_001);
    const port = await serveTcp((socket) => {
      socket.once("data", (head) => {
        const size = Number(/^GET \/(\d+)/.exec(head.toString())?.[1]);
        socket.end(Buffer.concat([Buffer.from(`HTTP/1.0 200 OK\r\ncontent-length: ${size}\r\n\r\n`), Buffer.alloc(size, "x")]));
      });
    });
    // Shorter than the reader's pauses: only the server is not to make us wait.
    const { of, warnings } = testTransports(["[network]read_timeout=4"]);
    const read = async (size: number): Promise<number> => {
      const image = ref(`http://127.0.0.1:${port}/${size}.tar.gz`);
      const { body } = await (await of(image.url)).get(image);
      let bytes = 0;
      for await (const chunk of body) {
        if (bytes === 0) await new Promise((done) => setTimeout(done, 4500));
        else await new Promise((done) => setTimeout(done, 5));
        bytes += chunk.length;
      }
      return bytes;
    };
    expect(await Promise.all(sizes.map(read))).toEqual(sizes);
    expect(warnings()).toEqual([]);
  });

  test("and many at once leave nothing that waits for the interrupt", async () => {
    const { signal } = new AbortController();
    const warned: string[] = [];
    const note = ({ name, message }: Error): void => void warned.push(`${name}: ${message}`);
    process.on("warning", note);
    const { of } = testTransports([], { interrupted: signal });
    const outcomes = [[], [{ kind: "cut", at: 1000 }], [{ kind: "status", status: 404 }], [{ kind: "reset", at: 0 }]] satisfies Fault[][];
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const server = await faultyServer(always({ content }), [outcomes[index % outcomes.length] ?? []]);
        const transport = await of(server.url);
        await transport.probe(ref(server.url));
        const { body } = await transport.get(ref(server.url)).catch(() => ({ body: undefined }));
        if (index % 5 === 0) body?.destroy();
        else if (body) await bytesOf(body);
      }),
    );
    await vi.waitFor(() => expect(getEventListeners(signal, "abort")).toEqual([]));
    process.off("warning", note);
    expect(warned).toEqual([]);
  });

  test("that nobody reads on is given up: no further request comes", async () => {
    const server = await faultyServer(always({ content }), [[{ kind: "stall", at: 1000 }]]);
    const { of } = testTransports(["[network]read_timeout=0.3"]);
    const { body } = await (await of(server.url)).get(ref(server.url));
    await body[Symbol.asyncIterator]().next();
    body.destroy();
    await new Promise((done) => setTimeout(done, 600));
    expect(server.gets).toHaveLength(1);
  });
});
