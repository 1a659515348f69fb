import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { CommandError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { type MoveFrom, Pieces, type TakePiece } from "../../src/host/pieces.js";
import { tempFolder } from "../support/temp.js";

const run = (script: string, take: TakePiece): Promise<unknown> => {
  return new LocalHost().run({ argv: ["bash", "-c", script], bulk: { take } });
};

const sha256 = (): ReturnType<typeof createHash> => createHash("sha256");

test("a piece that is used is never given out again", () => {
  const pieces = new Pieces({ bytes: 100, count: 5 });
  const used = Array.from({ length: 5 }, (_, index) => pieces.use(index + 1));
  expect(used.map(({ length }) => length)).toEqual([1, 2, 3, 4, 5]);
  expect(new Set(used.map(({ buffer }) => buffer)).size).toBe(5);
  expect(pieces.areAllUsed).toBe(true);
  expect(() => pieces.use(1)).toThrow("a piece that is used");
  expect(pieces.release()).toBe(true);
  expect(pieces.use(1).buffer).toBe(used[0]?.buffer);
});

describe("readPieces", () => {
  test("all of a program's output comes, in order, however late pieces are done, and in memory that is used again", async () => {
    const numbers = sha256();
    for (let number = 1; number <= 400_000; number++) numbers.update(`${number}\n`);
    for (const late of [(): number => 0, (): number => (Math.random() < 0.02 ? 5 : 0)]) {
      const hash = sha256();
      const memory = new Set<ArrayBufferLike>();
      let before = Promise.resolve();
      await run("seq 400000", (piece, done) => {
        memory.add(piece.buffer);
        before = before.then(async () => {
          const delay = late();
          if (delay > 0) await sleep(delay);
          hash.update(piece);
          done();
        });
      });
      expect(hash.digest("hex")).toBe(numbers.copy().digest("hex"));
      expect(memory.size).toBeLessThanOrEqual(4);
    }
  });

  test("it waits for the last piece, also when the program has ended", async () => {
    let isDone = false;
    await run("echo x", (_, done) => {
      setTimeout(() => {
        isDone = true;
        done();
      }, 300);
    });
    expect(isDone).toBe(true);
  });

  test("no output is none", async () => {
    await run("true", () => expect.unreachable());
  });

  test.each([0, 3, 20])("an error behind %i pieces is the failure, and nobody reads any more", async (pieces) => {
    let left = pieces;
    const began = performance.now();
    const failing = run("exec yes", (_, done) => (left-- > 0 ? done() : done(new Error("enough"))));
    await expect(failing).rejects.toThrow("enough");
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("a program that fails is a failure when all that it wrote is taken", async () => {
    let text = "";
    const failing = run("echo before; echo why >&2; exit 3", (piece, done) => {
      text += piece.toString();
      done();
    });
    await expect(failing).rejects.toThrow(CommandError);
    expect(text).toBe("before\n");
  });

  test("what it is written in makes no difference", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 200_000 }), { maxLength: 12 }), async (lengths) => {
        let bytes = 0;
        const script = lengths.map((length) => `head -c ${length} /dev/zero`).join("; ");
        await run(script || "true", (piece, done) => {
          bytes += piece.length;
          setImmediate(done);
        });
        expect(bytes).toBe(lengths.reduce((sum, length) => sum + length, 0));
      }),
      { numRuns: 10 },
    );
  });

  test("what nobody needs to see is moved on to another program, in order with all that is seen", async () => {
    const numbers = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join("");
    for (const slow of ["", "sleep 0.3; "]) {
      let [seen, moved, bytes] = [0, 0, 0];
      const host = new LocalHost();
      const path = join(tempFolder(), "copy");
      let to: Writable | undefined;
      let moveFrom: MoveFrom = () => 0;
      const copying = host.run({
        argv: ["bash", "-c", `${slow}cat > "$1"`, "bash", path],
        input: (stdin, move) => {
          [to, moveFrom] = [stdin, move];
        },
        bulk: {},
      });
      await vi.waitUntil(() => to);
      // Of each 300,000 bytes only the first 1,000 are to be seen.
      const unseen = (): number => (bytes % 300_000 < 1000 ? 0 : 300_000 - (bytes % 300_000));
      await host.run({
        argv: ["bash", "-c", "seq 300000"],
        bulk: {
          take: (piece, done) => {
            bytes += piece.length;
            seen += piece.length;
            to?.write(piece, () => done());
          },
          pass: (from) => {
            for (let now = -1; now !== 0 && unseen() > 0; bytes += now, moved += now) now = moveFrom(from, unseen());
            return unseen();
          },
        },
      });
      to?.end();
      await copying;
      expect(readFileSync(path, "utf8") === numbers).toBe(true);
      expect(seen + moved).toBe(numbers.length);
      expect(moved).toBeGreaterThan(0);
    }
  });
});
