import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FreeSpace } from "../../src/packer/free-space.js";
import { Guard } from "../../src/packer/guard.js";
import { MemberRules } from "../../src/packer/member-rules.js";
import { testLimits } from "../support/config.js";
import { tarOf } from "../support/hand-made.js";
import { tempFolder } from "../support/temp.js";

/** A disk that is looked at before each piece whose turn it is, and of which a look may fail. */
class Looks extends FreeSpace {
  readonly #looks: readonly ("none" | "room" | "full")[];
  #count = 0;

  constructor(looks: readonly ("none" | "room" | "full")[]) {
    super("a", tempFolder());
    this.#looks = looks;
  }

  override wrote(): Promise<void> | undefined {
    const look = this.#looks[this.#count++ % Math.max(this.#looks.length, 1)] ?? "none";
    if (look === "none") return undefined;
    return setImmediate().then(() => {
      if (look === "full") throw new Error("full");
    });
  }
}

const guardOf = (space: FreeSpace): Guard => new Guard("https://example.org/a", new MemberRules(testLimits, "whiteouts"), space);

/** What a guard writes to, which takes its time. */
function sink(): { readonly tar: Writable; readonly text: () => Buffer; readonly isEnded: () => boolean } {
  const chunks: Buffer[] = [];
  let isEnded = false;
  const tar = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      void setImmediate().then(() => done());
    },
    final(done) {
      isEnded = true;
      done();
    },
  });
  tar.on("error", () => undefined);
  return { tar, text: () => Buffer.concat(chunks), isEnded: () => isEnded };
}

const take = (guard: Guard, piece: Buffer): Promise<unknown> => new Promise((done) => guard.take(piece, (error) => done(error)));

const good = tarOf(Array.from({ length: 20 }, (_, index) => ({ name: `file-${index}`, content: "x".repeat(index * 100) })));

/** Cut into so many pieces of one length. */
const cut = (archive: Buffer, length: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(archive.length / length) }, (_, index) => archive.subarray(index * length, (index + 1) * length));

describe("Guard", () => {
  test("what it lets through is what came, in order, whenever tar is there and the disk is looked at", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3000 }),
        fc.array(fc.constantFrom("none" as const, "room" as const), { maxLength: 5 }),
        fc.boolean(),
        async (length, looks, isLate) => {
          const { tar, text, isEnded } = sink();
          const guard = guardOf(new Looks(looks));
          if (!isLate) guard.feed(tar);
          const taken = cut(good, length).map((piece) => take(guard, piece));
          if (isLate) guard.feed(tar);
          expect((await Promise.all(taken)).filter(Boolean)).toEqual([]);
          expect(text().equals(good)).toBe(true);
          guard.finish();
          await expect.poll(isEnded).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("content of members is moved on without a look, as much as there is at once, and headers never are", async () => {
    const archive = tarOf(Array.from({ length: 6 }, (_, index) => ({ name: `file-${index}`, content: "y".repeat(30_000 * index) })));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 512, max: 60_000 }),
        fc.array(fc.nat({ max: 50_000 }), { minLength: 1 }),
        async (length, moves) => {
          const { tar, text } = sink();
          const guard = guardOf(new FreeSpace("a", tempFolder()));
          let [at, turn, moved] = [0, 0, 0];
          const parts: Buffer[] = [];
          guard.feed(tar, (pipe, most) => {
            expect(pipe).toBe(7);
            const bytes = archive.subarray(at, at + Math.min(most, moves[turn++ % moves.length] ?? 0));
            expect(bytes.every((byte) => byte === 0x79)).toBe(true);
            parts.push(bytes);
            at += bytes.length;
            moved += bytes.length;
            return bytes.length;
          });
          const seen: Buffer[] = [];
          while (at < archive.length) {
            const piece = archive.subarray(at, at + length);
            at += piece.length;
            seen.push(piece);
            expect(await take(guard, piece)).toBeUndefined();
            const left = guard.pass(7);
            expect(left).toBeLessThanOrEqual(archive.length - at);
          }
          guard.finish();
          expect(text().equals(Buffer.concat(seen))).toBe(true);
          expect(text().length + moved).toBe(archive.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("nothing of a piece with a forbidden member gets through, and nothing behind it; the end is then not told to tar", async () => {
    const bad = Buffer.concat([tarOf([{ name: "good", content: "x" }]).subarray(0, 1024), tarOf([{ name: "../bad", content: "y" }])]);
    const { tar, text } = sink();
    const guard = guardOf(new Looks([]));
    guard.feed(tar);
    const errors = await Promise.all(cut(bad, 1024).map((piece) => take(guard, piece)));
    expect(errors[0]).toBeUndefined();
    expect(errors[1]).toMatchObject({ message: expect.stringContaining('its member "../bad" has .. in its name') });
    expect(errors.slice(2).every((error) => error instanceof Error)).toBe(true);
    expect(text().length).toBeLessThanOrEqual(1024);
    expect(tar.destroyed).toBe(true);
    expect(tar.writableEnded).toBe(false);
  });

  test("nothing gets through from where the disk is full", async () => {
    const { tar, text } = sink();
    const guard = guardOf(new Looks(["none", "room", "full"]));
    guard.feed(tar);
    const errors = await Promise.all(cut(good, 512).map((piece) => take(guard, piece)));
    expect(errors.filter(Boolean)).toEqual([expect.objectContaining({ message: "full" })]);
    expect(text().length).toBeLessThanOrEqual(1024);
    expect(tar.destroyed).toBe(true);
  });

  test("pieces are done also where tar is never started, or has ended before", async () => {
    const waiting = guardOf(new Looks([]));
    const taken = take(waiting, good.subarray(0, 512));
    waiting.stop();
    expect(await taken).toBeUndefined();
    const { tar } = sink();
    waiting.feed(tar);
    expect(tar.destroyed).toBe(true);
    const early = guardOf(new Looks([]));
    const ended = sink().tar;
    ended.destroy();
    early.feed(ended);
    expect(await Promise.all(cut(good, 4096).map((piece) => take(early, piece)))).not.toContainEqual(expect.any(Error));
  });

  test("an archive without its end is an error in the end, and not told to tar as one", () => {
    const { tar } = sink();
    const guard = guardOf(new Looks([]));
    guard.feed(tar);
    guard.take(good.subarray(0, 700), () => undefined);
    expect(() => guard.finish()).toThrow("cut off");
    expect(tar.writableEnded).toBe(false);
  });
});
