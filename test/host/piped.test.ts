import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import { runPiped } from "../../src/host/piped.js";
import type { Program } from "../../src/host/programs.js";
import { tempFolder } from "../support/temp.js";

const host = new LocalHost();
const sh = (script: string) => ({ argv: ["sh", "-c", script] as const });

/** What the second of two programs writes to a file. */
async function written(from: string, to: string, needsAll = true): Promise<string> {
  const path = join(tempFolder(), "output");
  await runPiped(host, sh(from), { ...sh(to), output: { descriptor: openSync(path, "wx") } }, { needsAll });
  return readFileSync(path, "utf8");
}

describe("runPiped", () => {
  test("the second program reads all that the first one writes, and writes to a file", async () => {
    expect(await written("seq 300000", "wc -lc")).toBe(` ${300_000} ${1_988_895}\n`);
  });

  test("the first one gets its input as any other", async () => {
    const path = join(tempFolder(), "output");
    const input = Readable.from(["a", "b"]);
    await runPiped(
      host,
      { ...sh("cat; echo c"), input },
      { ...sh("rev"), output: { descriptor: openSync(path, "wx") } },
      { needsAll: true },
    );
    expect(readFileSync(path, "utf8")).toBe("cba\n");
  });

  test("a second one that is known later begins when the first one has begun", async () => {
    const folder = tempFolder();
    const path = join(folder, "output");
    const from = sh(`touch "${folder}/begun"; echo first`);
    const later = async () => {
      await expect.poll(() => readdirSync(folder)).toContain("begun");
      return { ...sh("cat; echo second"), output: { descriptor: openSync(path, "wx") } };
    };
    await runPiped(host, from, later, { needsAll: true });
    expect(readFileSync(path, "utf8")).toBe("first\nsecond\n");
  });

  test("a second one that never is known is the error, and the first one ends", async () => {
    const count = (): number => readdirSync("/proc/self/fd").length;
    // The first program that gets no input opens /dev/null for all.
    await host.run(sh("true"));
    const open = count();
    const later = () => Promise.reject(new Error("on purpose"));
    await expect(runPiped(host, sh("exec yes"), later, { needsAll: false })).rejects.toThrow("on purpose");
    await expect.poll(count).toBeLessThanOrEqual(open);
  });

  test("a second one that cannot be asked for is the same", async () => {
    const later = (): Promise<never> => {
      throw new Error("at once");
    };
    await expect(runPiped(host, sh("exec yes"), later, { needsAll: false })).rejects.toThrow("at once");
  });

  test.each([
    ["the first", "echo x; echo why >&2; exit 3", "cat", { code: 3, output: "why" }],
    ["the second", "echo x", "cat; echo why >&2; exit 4", { code: 4, output: "why" }],
    ["both, the first before", "echo first >&2; exit 3", "cat; echo second >&2; exit 4", { code: 3, output: "first" }],
    ["the second, so that the first has nobody to write to", "exec yes", "head -n 1; echo why >&2; exit 5", { code: 5, output: "why" }],
  ])("a failure of %s is one of both", async (_, from, to, error) => {
    await expect(written(from, to)).rejects.toMatchObject(error);
  });

  test("where both fail, a second one that does not mind the end of its input was the cause", async () => {
    await expect(written("echo first >&2; exit 3", "cat; echo second >&2; exit 4", false)).rejects.toMatchObject({ output: "second" });
    // No SIGPIPE ends the first process of a namespace.
    const unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec"] as const;
    const from = { argv: [...unshare, "exec tar --create --file=- /usr/bin"] as const };
    const to = sh("head -c 10 > /dev/null; echo No space left on device >&2; exit 1");
    await expect(runPiped(host, from, to, { needsAll: false })).rejects.toMatchObject({ code: 1, output: "No space left on device" });
  });

  test("where there are no descriptors left, what was to be passed on is closed, and input is read to its end", async () => {
    const descriptor = openSync("/dev/null", "w");
    const input = Readable.from(["a"]);
    const opened: number[] = [];
    try {
      for (;;) opened.push(openSync("/dev/null", "r"));
    } catch {
      // There are none left.
    }
    const running = runPiped(host, { ...sh("cat"), input }, { ...sh("cat"), output: { descriptor } }, { needsAll: true });
    const failed = expect(running).rejects.toThrow("EMFILE");
    for (const file of opened) closeSync(file);
    await failed;
    expect(() => fstatSync(descriptor)).toThrow("EBADF");
    await expect.poll(() => input.readableEnded).toBe(true);
  });

  test("a second one that has read enough is no failure", async () => {
    expect(await written("exec yes", "head -n 2")).toBe("y\ny\n");
  });

  test("where one cannot be started, the other does not wait for it, and nothing stays open", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const missing = { argv: ["none-such" as Program] as const };
    await expect(runPiped(host, missing, sh("cat"), { needsAll: true })).rejects.toThrow("not installed");
    await expect(runPiped(host, sh("exec yes"), missing, { needsAll: true })).rejects.toThrow("not installed");
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});
