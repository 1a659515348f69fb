import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/base/events.js";
import { metered } from "../../src/transport/meter.js";
import { bytesOf } from "../support/byte-source.js";

type TransferEvent = Extract<Event, { kind: "transfer" }>;

function listener(): { readonly events: TransferEvent[]; readonly report: (event: Event) => void } {
  const events: TransferEvent[] = [];
  return { events, report: (event) => void (event.kind === "transfer" && events.push(event)) };
}

const what = { url: "http://h.example.org/x", direction: "down" } as const;

describe("a metered stream", () => {
  test("passes all bytes on, the very same chunks", async () => {
    const chunks = Array.from({ length: 300 }, (_, n) => Buffer.alloc(1000 + n, n));
    const { events, report } = listener();
    const seen: unknown[] = [];
    for await (const chunk of metered(Readable.from(chunks), { ...what, total: 7 }, report)) seen.push(chunk);
    expect(seen).toHaveLength(300);
    expect(seen.every((chunk, index) => chunk === chunks[index])).toBe(true);
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    expect(events.at(-1)).toEqual({ kind: "transfer", ...what, bytes, total: 7, done: true });
    expect(events.filter(({ done }) => done)).toHaveLength(1);
  });

  test("tells at most ten times a second, more and more", async () => {
    const { events, report } = listener();
    async function* slow(): AsyncGenerator<Buffer> {
      for (let n = 0; n < 50; n++) {
        yield Buffer.alloc(10);
        await new Promise((done) => setTimeout(done, 10));
      }
    }
    const started = performance.now();
    expect(await bytesOf(metered(Readable.from(slow()), what, report))).toHaveLength(500);
    const tenths = (performance.now() - started) / 100;
    expect(events.length).toBeGreaterThan(2);
    expect(events.length).toBeLessThanOrEqual(tenths + 1);
    expect(events.map(({ bytes }) => bytes)).toEqual(events.map(({ bytes }) => bytes).toSorted((a, b) => a - b));
    expect(events[0]).not.toHaveProperty("total");
  });

  test("breaks off with its source, by the same error, and does not say that it is done", async () => {
    const { events, report } = listener();
    const body = new PassThrough();
    body.write("some");
    const read = bytesOf(metered(body, what, report));
    const failure = new Error("cut");
    setTimeout(() => body.destroy(failure), 20);
    await expect(read).rejects.toBe(failure);
    expect(events.filter(({ done }) => done)).toEqual([]);
  });

  test("ends its source where its reader stops", async () => {
    const body = new PassThrough();
    const meter = metered(body, what, () => undefined);
    body.write("some");
    meter.destroy();
    await new Promise((done) => body.once("close", done));
    expect(body.destroyed).toBe(true);
  });

  test("waits where its reader does", async () => {
    let made = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        made += 1 << 16;
        yield Buffer.alloc(1 << 16);
      }
    }
    const meter = metered(Readable.from(endless()), what, () => undefined);
    await new Promise((done) => setTimeout(done, 100));
    expect(made).toBeLessThan(8 << 20);
    meter.destroy();
  });
});
