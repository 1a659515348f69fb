import { describe, expect, test } from "vitest";
import { InterruptedError, NspawnError, ProblemsError } from "../../src/base/errors.js";
import { findEach } from "../../src/image/find-each.js";
import { ref } from "../support/archive.js";

const at = (line: number) => ({ file: "/srv/build.ts", line });
const url = (name: string): string => `https://images.example.org/${name}.tar.gz`;
const want = (name: string, line?: number) => ({ image: ref(url(name)), at: line === undefined ? undefined : at(line) });
const failing =
  (errors: Readonly<Record<string, unknown>>) =>
  async ({ image }: ReturnType<typeof want>): Promise<string> => {
    if (Object.hasOwn(errors, image.written)) throw errors[image.written];
    return image.written;
  };

describe("findEach", () => {
  test("finds all, in their order", async () => {
    expect(await findEach([want("a", 1), want("b", 2)], failing({}))).toEqual([url("a"), url("b")]);
  });

  test("looks for eight at a time, and for the next as soon as one is done", async () => {
    let now = 0;
    let most = 0;
    const names = Array.from({ length: 30 }, (_, index) => `i${index}`);
    const find = async ({ image }: ReturnType<typeof want>): Promise<string> => {
      most = Math.max(most, ++now);
      await new Promise((done) => setTimeout(done, image.written.endsWith("i0.tar.gz") ? 200 : 5));
      now--;
      return image.written;
    };
    const started = performance.now();
    expect(
      await findEach(
        names.map((name) => want(name, 1)),
        find,
      ),
    ).toEqual(names.map(url));
    expect(most).toBe(8);
    expect(performance.now() - started).toBeLessThan(400);
  });

  test("tells all that cannot be had, each at its line, with what to do and where it comes from", async () => {
    const [first, second] = [new NspawnError("first", { hint: "do a" }), new NspawnError("second")];
    const error = await findEach([want("a", 1), want("b", 2), want("c", 3)], failing({ [url("a")]: first, [url("c")]: second })).catch(
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(ProblemsError);
    expect(error).toMatchObject({
      exitCode: 1,
      problems: [
        { at: at(1), near: url("a"), message: "first", hint: "do a", cause: first },
        { at: at(3), near: url("c"), message: "second", cause: second },
      ],
    });
  });

  test("waits for all of them", async () => {
    let done = false;
    const slow = async ({ image }: ReturnType<typeof want>): Promise<void> => {
      if (image.written === url("a")) throw new NspawnError("at once");
      await new Promise((ready) => setTimeout(ready, 20));
      done = true;
    };
    await expect(findEach([want("a", 1), want("b", 2)], slow)).rejects.toThrow("at once");
    expect(done).toBe(true);
  });

  test("an interrupt, a defect and what has no line stay what they are", async () => {
    for (const error of [new InterruptedError(), new TypeError("defect")])
      await expect(findEach([want("a", 1)], failing({ [url("a")]: error }))).rejects.toBe(error);
    const error = new NspawnError("x");
    await expect(findEach([want("a")], failing({ [url("a")]: error }))).rejects.toBe(error);
  });
});
