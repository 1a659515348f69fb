import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Body } from "../../src/transport/body.js";
import { TimeOut } from "../../src/transport/failure.js";
import { bytesOf } from "../support/byte-source.js";

function bodyOf(timeout = 5000) {
  const calls: string[] = [];
  const body = new Body(timeout, { resume: () => calls.push("resume"), close: () => calls.push("close") });
  return { body, calls, pieces: body.source[Symbol.asyncIterator]() };
}

describe("the body of an answer", () => {
  test("is what was put, in order, whoever is faster", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.boolean())), async (puts) => {
        const { body } = bodyOf();
        const read = bytesOf(body.source);
        for (const [bytes, waits] of puts) {
          body.put(Buffer.from(bytes));
          if (waits) await sleep(0);
        }
        body.end();
        expect(await read).toEqual(Buffer.concat(puts.map(([bytes]) => bytes)));
      }),
      { numRuns: 50 },
    );
  });

  test("asks for a pause where four pieces wait, and for more when it has room again", async () => {
    const { body, calls, pieces } = bodyOf();
    expect(["a", "b", "c", "d", "e"].map((text) => body.put(Buffer.from(text)))).toEqual([true, true, true, false, false]);
    const seen: string[] = [];
    for (let index = 0; index < 3; index++) {
      seen.push(String((await pieces.next()).value));
      if (index === 0) expect(calls).toEqual([]);
    }
    expect(seen.join("")).toBe("abc");
    expect(calls).toEqual(["resume"]);
    body.source.destroy();
  });

  test("gives memory back when the next piece is asked for", async () => {
    const { body, pieces } = bodyOf();
    const released: number[] = [];
    for (const index of [0, 1]) body.put(Buffer.from("x"), () => released.push(index));
    await pieces.next();
    expect(released).toEqual([]);
    await pieces.next();
    expect(released).toEqual([0]);
    body.end();
    await pieces.next();
    expect(released).toEqual([0, 1]);
  });

  test("that breaks off gives what came before that, then the error, and takes nothing more", async () => {
    const { body, calls, pieces } = bodyOf();
    body.put(Buffer.from("x"));
    body.fail(new Error("cable"));
    body.fail(new Error("other"));
    expect(body.put(Buffer.from("y"))).toBe(false);
    expect(String((await pieces.next()).value)).toBe("x");
    await expect(pieces.next()).rejects.toThrow("cable");
    expect(calls).toEqual(["close"]);
  });

  test("that nobody reads on closes its connection, and gives nothing more", async () => {
    const { body, calls, pieces } = bodyOf();
    body.put(Buffer.from("x"));
    body.source.destroy();
    await expect(pieces.next()).rejects.toThrow("nobody reads on");
    expect(calls).toEqual(["close"]);
  });

  test("of which nothing comes is late, but not while its reader does other things", async () => {
    const { body, pieces } = bodyOf(100);
    body.put(Buffer.from("x"));
    await sleep(250);
    await pieces.next();
    const began = performance.now();
    await expect(pieces.next()).rejects.toThrow(TimeOut);
    expect(performance.now() - began).toBeGreaterThan(80);
  });
});
