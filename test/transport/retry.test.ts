import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { TransientError } from "../../src/transport/failure.js";
import { retried } from "../../src/transport/retry.js";
import { ref } from "../support/archive.js";
import { testTransports } from "../support/http.js";
import { closedPort, serve, serveTcp } from "../support/server.js";

/** A server that gives these statuses, one after the other, then 200. */
async function statuses(...codes: readonly number[]) {
  let asked = 0;
  const url = await serve((request, response: ServerResponse) => {
    request.resume();
    response.writeHead(codes[asked++] ?? 200, { etag: '"x"' }).end();
  });
  return { url: `${url}/a`, asked: () => asked };
}

describe("what fails for a moment", () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 599])("as the status %i is tried again", async (status) => {
    const { url, asked } = await statuses(status);
    const { of, warnings } = testTransports();
    expect(await (await of(url)).probe(ref(url))).toEqual({ etag: '"x"' });
    expect(asked()).toBe(2);
    expect(warnings()).toEqual([
      expect.stringMatching(new RegExp(`^${url}: HTTP status ${status}.* to HEAD; next try in 0\\.0 s \\(2 of 5\\)$`)),
    ]);
  });

  test.each([400, 401, 403, 404, 410, 451, 505, 507])("is not the status %i", async (status) => {
    const { url, asked } = await statuses(status, status);
    await expect(
      testTransports()
        .of(url)
        .then((transport) => transport.probe(ref(url))),
    ).rejects.toMatchObject({ status });
    expect(asked()).toBe(1);
  });

  test("fails after network/tries", async () => {
    const { url, asked } = await statuses(500, 500, 500, 500);
    const { of } = testTransports(["[network]tries=3"]);
    await expect((await of(url)).get(ref(url))).rejects.toMatchObject({
      status: 500,
      message: expect.stringMatching(/to GET \(tried 3 times\)$/),
    });
    expect(asked()).toBe(3);
  });

  test("is not tried again where the answer is not worth a wait", async () => {
    const { url, asked } = await statuses(503, 503);
    const transport = await testTransports().of(url);
    await expect(transport.probe(ref(url), { once: true })).rejects.toMatchObject({ status: 503 });
    await expect(transport.get(ref(url), { once: true })).rejects.toMatchObject({ status: 503 });
    expect(asked()).toBe(2);
  });

  test("is a port that nobody listens at, and a connection that is reset, before the answer and in its head", async () => {
    const ends: readonly ((socket: Socket) => void)[] = [
      (socket) => socket.resetAndDestroy(),
      (socket) => void socket.once("data", () => socket.end()),
      (socket) => void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\netag: ")),
      (socket) => void socket.once("data", () => socket.end('HTTP/1.1 200 OK\r\netag: "x"\r\ncontent-length: 0\r\n\r\n')),
    ];
    let connections = 0;
    const port = await serveTcp((socket) => ends[connections++]?.(socket));
    const url = `http://127.0.0.1:${port}/a`;
    const { of, warnings } = testTransports();
    expect(await (await of(url)).probe(ref(url))).toEqual({ etag: '"x"' });
    expect(warnings()).toHaveLength(3);
    const closed = `http://127.0.0.1:${await closedPort()}/a`;
    await expect((await of(closed)).probe(ref(closed))).rejects.toThrow(/ECONNREFUSED.*\(tried 5 times\)/);
  });

  test("is a head that never ends", async () => {
    const port = await serveTcp((socket) => {
      const timer = setInterval(() => socket.write("x"), 50);
      socket.write("HTTP/1.1 200 OK\r\nx: ");
      socket.once("close", () => clearInterval(timer));
    });
    const url = `http://127.0.0.1:${port}/a`;
    const { of } = testTransports(["[network]read_timeout=0.3", "[network]tries=2"]);
    await expect((await of(url)).get(ref(url))).rejects.toThrow(/no answer came in time.*\(tried 2 times\)/);
  });
});

describe("retried", () => {
  const texts: string[] = [];
  const persistence = (retryPause: number, retryPauseMax: number) => ({
    patience: { tries: 4, retryPause, retryPauseMax },
    interrupted: new AbortController().signal,
    report: (event: { readonly kind: string }) => void ("text" in event && texts.push(String(event.text))),
  });
  const pauses = (): readonly number[] => texts.splice(0).map((text) => Number(/in ([\d.]+) s/.exec(text)?.[1]));

  test("pauses twice as long each time, up to the longest pause, and less by chance", async () => {
    const work = () => Promise.reject(new TransientError("u", "w"));
    await expect(retried(persistence(0.2, 0.5), work)).rejects.toThrow("u: w (tried 4 times)");
    const [first = 0, second = 0, third = 0] = pauses();
    for (const [pause, longest] of [
      [first, 0.2],
      [second, 0.4],
      [third, 0.5],
    ] as const) {
      // One digit is told.
      expect(pause).toBeGreaterThanOrEqual(longest * 0.75 - 0.06);
      expect(pause).toBeLessThanOrEqual(longest + 0.05);
    }
  });

  test("pauses as the server asks, but not longer than the longest pause", async () => {
    const waits = [100, 3_600_000];
    const work = () => {
      const wait = waits.shift();
      return wait === undefined ? Promise.resolve("done") : Promise.reject(new TransientError("u", "w", { retryAfter: wait }));
    };
    expect(await retried(persistence(5, 0.3), work)).toBe("done");
    expect(pauses()).toEqual([0.1, 0.3]);
  });

  test("does not try again what is no failure that may pass", async () => {
    let calls = 0;
    const work = () => {
      calls++;
      return Promise.reject(new Error("broken"));
    };
    await expect(retried(persistence(0.1, 0.1), work)).rejects.toThrow("broken");
    expect(calls).toBe(1);
  });
});
