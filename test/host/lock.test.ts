import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InterruptedError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { lockHolder, removeFreeLocks, takeLock } from "../../src/host/lock.js";
import { there } from "../support/files.js";
import { tempFolder } from "../support/temp.js";

const host = new LocalHost();
const never = (other: string): void => {
  throw new Error(`held by ${other}`);
};

describe("takeLock", () => {
  test("a free lock is taken without waiting, also one in a folder that is not there", async () => {
    const lock = await takeLock(host, join(tempFolder(), "a/b/lock"), "me", never);
    lock.release();
  });

  test("the second taker waits, is told who holds it, and gets it when the first lets go", async () => {
    const path = join(tempFolder(), "lock");
    const first = await takeLock(host, path, "process 1 (image x)", never);
    const order: string[] = [];
    const told: string[] = [];
    const second = takeLock(host, path, "process 2", (other) => void told.push(other)).then((lock) => {
      order.push("second has it");
      return lock;
    });
    await expect.poll(() => told).toEqual(["process 1 (image x)"]);
    await new Promise((done) => setTimeout(done, 100));
    expect(order).toEqual([]);
    order.push("first lets go");
    first.release();
    (await second).release();
    expect(order).toEqual(["first lets go", "second has it"]);
  });

  test("of many takers one has it at a time", async () => {
    const path = join(tempFolder(), "lock");
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const lock = await takeLock(host, path, `taker ${index}`, () => undefined);
        most = Math.max(most, ++inside);
        await new Promise((done) => setTimeout(done, 10));
        inside--;
        lock.release();
      }),
    );
    expect(most).toBe(1);
  });

  test("different locks do not wait for each other", async () => {
    const folder = tempFolder();
    const locks = await Promise.all(["a", "b"].map((name) => takeLock(host, join(folder, name), "me", never)));
    for (const lock of locks) lock.release();
  });

  test("who waits is told of an interrupt, and gets no lock", async () => {
    const path = join(tempFolder(), "lock");
    const lock = await takeLock(host, path, "me", never);
    const other = new LocalHost();
    const waiting = takeLock(other, path, "process 2", () => void setTimeout(() => other.interrupt(), 50));
    await expect(waiting).rejects.toThrow(InterruptedError);
    expect(await lockHolder(path)).toBe("me");
    lock.release();
  });

  test("a lock is released once, whatever has its descriptor's number by then", async () => {
    const folder = tempFolder();
    const lock = await takeLock(host, join(folder, "one"), "me", never);
    lock.release();
    const other = await takeLock(host, join(folder, "two"), "me", never);
    lock.release();
    expect(await lockHolder(join(folder, "two"))).toBe("me");
    other.release();
  });

  test("a lock that was released can be taken again", async () => {
    const path = join(tempFolder(), "lock");
    for (let i = 0; i < 3; i++) (await takeLock(host, path, "me", never)).release();
  });

  test("a holder that is killed by kill -9 holds nothing any more", async () => {
    const path = join(tempFolder(), "lock");
    const holder = spawn("sh", ["-c", `exec flock --exclusive --no-fork "$0" sh -c "echo held; exec sleep 60"`, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(there(holder.stdout), "data");
    const waits: string[] = [];
    const lock = takeLock(host, path, "me", (other) => void waits.push(other));
    await expect.poll(() => waits.length).toBe(1);
    holder.kill("SIGKILL");
    (await lock).release();
  });
});

describe("lockHolder", () => {
  test("tells who has a lock, as long as it is held, and takes none itself", async () => {
    const path = join(tempFolder(), "lock");
    expect(await lockHolder(path)).toBeUndefined();
    const lock = await takeLock(host, path, "process 12 (machine web)", never);
    await expect.poll(() => lockHolder(path)).toBe("process 12 (machine web)");
    const waits: string[] = [];
    const second = takeLock(host, path, "process 13", (other) => void waits.push(other));
    await expect.poll(() => waits.length).toBe(1);
    expect(await lockHolder(path)).toBe("process 12 (machine web)");
    lock.release();
    (await second).release();
    expect(await lockHolder(path)).toBeUndefined();
  });
});

describe("removeFreeLocks", () => {
  test("removes the files that nobody holds, and counts them", async () => {
    const folder = tempFolder();
    const held = await takeLock(host, join(folder, "held"), "me", never);
    for (const name of ["a", "b"]) (await takeLock(host, join(folder, name), "me", never)).release();
    expect(await removeFreeLocks(folder)).toBe(2);
    expect(readdirSync(folder)).toEqual(["held"]);
    held.release();
  });

  test("beside takers that wait, one still has the lock at a time", async () => {
    const folder = tempFolder();
    let inside = 0;
    let most = 0;
    let left = 12;
    const take = async (): Promise<void> => {
      const lock = await takeLock(host, join(folder, "lock"), "taker", () => undefined);
      most = Math.max(most, ++inside);
      await new Promise((done) => setTimeout(done, 5));
      inside--;
      left--;
      lock.release();
    };
    const remove = async (): Promise<void> => {
      while (left > 0) await removeFreeLocks(folder);
    };
    await Promise.all([...Array.from({ length: left }, take), remove()]);
    expect(most).toBe(1);
    expect(left).toBe(0);
  });
});
