import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CommandError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { whileWritingBack } from "../../src/host/write-back.js";
import { replaceSync } from "../support/replace-sync.js";
import { tempFolder } from "../support/temp.js";

const patience = { timeout: 20_000 };

describe("whileWritingBack", () => {
  test("syncs the file system again and again, as long as the work takes, and gives what that gives", async () => {
    const synced = replaceSync('echo "$*" >> $log; exec /usr/bin/sync "$@"');
    const folder = tempFolder();
    const done = whileWritingBack(new LocalHost(), folder, async () => {
      await expect.poll(() => synced().length, patience).toBeGreaterThan(2);
      return 42;
    });
    expect(await done).toBe(42);
    expect(new Set(synced())).toEqual(new Set([`--file-system ${folder}`]));
    const count = synced().length;
    await sleep(700);
    expect(synced()).toHaveLength(count);
  });

  test("starts nothing for work that is done at once, and adds no time to it", async () => {
    const synced = replaceSync("echo >> $log");
    const began = performance.now();
    await whileWritingBack(new LocalHost(), tempFolder(), async () => undefined);
    expect(performance.now() - began).toBeLessThan(400);
    expect(synced()).toEqual([]);
  });

  // In the words of sync(1), for a file system on a device that fails.
  const refused = `echo "sync: error syncing '/x': Input/output error" >&2; echo >> $log; exit 1`;

  test("what the disk does not take is an error, since the kernel tells it only once", async () => {
    const synced = replaceSync(refused);
    const work = async (): Promise<void> => expect.poll(() => synced().length, patience).toBe(1);
    const failing = whileWritingBack(new LocalHost(), "/x", work);
    await expect(failing).rejects.toMatchObject({ output: expect.stringContaining("Input/output error") });
    expect(synced()).toHaveLength(1);
  });

  test("so it is of the sync that goes on when the work ends", async () => {
    const synced = replaceSync(`echo >> $log; sleep 1; ${refused}`);
    const work = async (): Promise<void> => expect.poll(() => synced().length, patience).toBe(1);
    const failing = whileWritingBack(new LocalHost(), "/x", work);
    await expect(failing).rejects.toMatchObject({ output: expect.stringContaining("Input/output error") });
  });

  test("an error is that of the work, a sync of what is not there is none", async () => {
    const synced = replaceSync('/usr/bin/sync "$@"; code=$?; echo $code >> $log; exit $code');
    const failing = whileWritingBack(new LocalHost(), "/nowhere", async () => {
      await expect.poll(synced, patience).toEqual(["1"]);
      throw new CommandError({ argv: ["tar"], code: 2, output: "broken" });
    });
    await expect(failing).rejects.toThrow("tar failed");
    await expect(whileWritingBack(new LocalHost(), "/nowhere", () => sleep(700, "done"))).resolves.toBe("done");
  });

  test("an interrupt ends it", async () => {
    const host = new LocalHost();
    host.interrupt();
    await expect(whileWritingBack(host, tempFolder(), () => sleep(700, "done"))).resolves.toBe("done");
  });
});
