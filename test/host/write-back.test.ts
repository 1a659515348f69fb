import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CommandError } from "../../src/base/errors.js";
import type { Command } from "../../src/host/host.js";
import { LocalHost } from "../../src/host/local.js";
import { whileWritingBack } from "../../src/host/write-back.js";
import { tempFolder } from "../support/temp.js";

/** This machine, with the programs that were started on it. */
class WatchedHost extends LocalHost {
  readonly started: (readonly string[])[] = [];
  override async run(command: Command) {
    this.started.push(command.argv);
    return super.run(command);
  }
}

describe("whileWritingBack", () => {
  test("syncs the file system again and again, as long as the work takes, and gives what that gives", async () => {
    const host = new WatchedHost();
    const folder = tempFolder();
    const done = whileWritingBack(host, folder, async () => {
      await expect.poll(() => host.started.length, { timeout: 20_000 }).toBeGreaterThan(1);
      return 42;
    });
    expect(await done).toBe(42);
    expect(host.started[0]).toEqual(["sync", "--file-system", folder]);
    const count = host.started.length;
    await sleep(700);
    expect(host.started).toHaveLength(count);
  });

  test("starts nothing for work that is done at once, and adds no time to it", async () => {
    const host = new WatchedHost();
    const began = performance.now();
    await whileWritingBack(host, tempFolder(), async () => undefined);
    expect(performance.now() - began).toBeLessThan(400);
    expect(host.started).toEqual([]);
  });

  test("what the disk does not take is an error, since the kernel tells it only once", async () => {
    // In the words of sync(1), for a file system on a device that fails.
    class FailingHost extends WatchedHost {
      override async run(command: Command): Promise<never> {
        this.started.push(command.argv);
        throw new CommandError({ argv: command.argv, code: 1, output: "sync: error syncing '/x': Input/output error" });
      }
    }
    const host = new FailingHost();
    const work = async (): Promise<void> => expect.poll(() => host.started.length, { timeout: 20_000 }).toBe(1);
    await expect(whileWritingBack(host, "/x", work)).rejects.toMatchObject({ output: expect.stringContaining("Input/output error") });
    expect(host.started).toHaveLength(1);
  });

  test("an error is that of the work, a sync of what is not there is none", async () => {
    const host = new WatchedHost();
    const failing = whileWritingBack(host, "/nowhere", async () => {
      await expect.poll(() => host.started.length, { timeout: 20_000 }).toBe(1);
      throw new CommandError({ argv: ["tar"], code: 2, output: "broken" });
    });
    await expect(failing).rejects.toThrow("tar failed");
  });

  test("an interrupt ends it", async () => {
    const host = new WatchedHost();
    host.interrupt();
    await expect(whileWritingBack(host, tempFolder(), () => sleep(700, "done"))).resolves.toBe("done");
  });
});
