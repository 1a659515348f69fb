import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { byteSource, piecesOf } from "../../src/base/byte-source.js";
import { bytesOf } from "../support/byte-source.js";

/** A source of some pieces, and what has been done to it. */
function sourceOf(...pieces: readonly string[]) {
  const left = pieces.map((piece) => Buffer.from(piece));
  const done: unknown[] = [];
  let fail: (error: Error) => void = () => undefined;
  const next = async (): Promise<Buffer | undefined> => {
    done.push("next");
    return left.shift();
  };
  const never = (): Promise<undefined> =>
    new Promise((_, failing) => {
      fail = failing;
    });
  const destroy = (why: Error): void => {
    done.push(why.message);
    fail(why);
  };
  return { source: byteSource(next, destroy), stuck: byteSource(never, destroy), done };
}

describe("a source of bytes", () => {
  test("gives all pieces, and is not asked again behind its end", async () => {
    const { source, done } = sourceOf("a", "bc");
    expect((await bytesOf(source)).toString()).toBe("abc");
    expect(await source[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
    source.destroy();
    expect(done).toEqual(["next", "next", "next"]);
  });

  test("that a loop leaves is given up, once", async () => {
    const { source, done } = sourceOf("a", "b");
    for await (const piece of source) if (piece) break;
    source.destroy(new Error("again"));
    expect(done).toEqual(["next", "nobody reads on"]);
    await expect(bytesOf(source)).rejects.toThrow("nobody reads on");
  });

  test("that is destroyed while somebody waits ends there", async () => {
    const { stuck, done } = sourceOf();
    const waiting = bytesOf(stuck);
    await setImmediate();
    stuck.destroy(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
    expect(done).toEqual(["over"]);
  });

  test("a piece that comes after that is nobody's, and an end then is none", async () => {
    for (const value of [Buffer.from("late"), undefined]) {
      let come: (piece: Buffer | undefined) => void = () => undefined;
      const source = byteSource(
        () => new Promise((done) => (come = done)),
        () => undefined,
      );
      const waiting = source[Symbol.asyncIterator]().next();
      await setImmediate();
      source.destroy(new Error("over"));
      come(value);
      await expect(waiting).rejects.toThrow("over");
    }
  });

  test("that has failed fails again in the same way, and is cleaned up once", async () => {
    let [asked, cleaned] = [0, 0];
    const failing = async (): Promise<undefined> => {
      asked++;
      throw new Error("cut");
    };
    const source = byteSource(failing, () => void cleaned++);
    for (let time = 0; time < 2; time++) await expect(source[Symbol.asyncIterator]().next()).rejects.toThrow("cut");
    source.destroy();
    expect([asked, cleaned]).toEqual([1, 1]);
  });

  test("a Readable is one, and its error is only for who reads", async () => {
    const stream = new PassThrough();
    const pieces = piecesOf(stream);
    stream.destroy(new Error("cable"));
    await setImmediate();
    await expect(pieces.next()).rejects.toThrow("cable");
  });
});
