import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makePipe, moveBytes, reap, type Start, startProgram, tryLock, widen } from "../../src/host/libc.js";
import { tempFolder } from "../support/temp.js";

const empty = openSync("/dev/null", "r");

/** Starts a program without any streams. */
const start = (options: Partial<Start> & Pick<Start, "argv">): number =>
  startProgram({ env: {}, files: [empty, empty, empty], ...options });

/** What a program writes; it has to be little. */
async function outputOf(options: Partial<Start> & Pick<Start, "argv">): Promise<string> {
  const { reader, writer } = makePipe();
  const pid = start({ files: [empty, writer, writer], ...options });
  closeSync(writer);
  const buffer = Buffer.alloc(1 << 16);
  let length = 0;
  for (let read = -1; read !== 0; length += read) read = readSync(reader, buffer, length, buffer.length - length, null);
  closeSync(reader);
  await expect.poll(() => reap(pid)).toBeDefined();
  return buffer.toString("utf8", 0, length);
}

describe("startProgram", () => {
  test("arguments, environment and folder are as they are given", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 30 }).filter((text) => !text.includes("\0")));
    await fc.assert(
      fc.asyncProperty(texts, texts, async (args, values) => {
        const env = Object.fromEntries(values.map((value, index) => [`V${index}`, value]));
        const output = await outputOf({ argv: ["/usr/bin/printf", "%s\\0", "", ...args], env, cwd: "/usr" });
        expect(output.split("\0").slice(1, -1)).toEqual(args);
        const variables = await outputOf({ argv: ["/usr/bin/env", "--null"], env, cwd: "/usr" });
        expect(variables.split("\0").slice(0, -1).sort()).toEqual(
          Object.entries(env)
            .map(([name, value]) => `${name}=${value}`)
            .sort(),
        );
      }),
      { numRuns: 20 },
    );
    expect(await outputOf({ argv: ["/bin/pwd"], cwd: "/usr" })).toBe("/usr\n");
  });

  test("files are passed on in their order, whatever their numbers are here", async () => {
    const folder = tempFolder();
    const files = Array.from({ length: 40 }, (_, index) => openSync(join(folder, String(index)), "w+"));
    try {
      const { reader, writer } = makePipe();
      // Some have numbers of others' targets.
      const given = [empty, writer, ...[...files].reverse()];
      const pid = start({
        argv: ["/bin/sh", "-c", "readlink /proc/self/fd/2 /proc/self/fd/3 /proc/self/fd/20 /proc/self/fd/41"],
        files: given,
      });
      closeSync(writer);
      const buffer = Buffer.alloc(1 << 12);
      await expect.poll(() => reap(pid)).toEqual({ code: 0, signal: null });
      const length = readSync(reader, buffer);
      closeSync(reader);
      expect(buffer.toString("utf8", 0, length)).toBe(["39", "38", "21", "0", ""].map((name) => name && join(folder, name)).join("\n"));
    } finally {
      for (const file of files) closeSync(file);
    }
  });

  test("it has a session of its own, no signal blocked, and SIGPIPE ends it", async () => {
    const fields = await outputOf({ argv: ["/bin/sh", "-c", "cat /proc/self/stat; grep -E 'SigBlk|SigIgn' /proc/self/status"] });
    const [stat = "", ...masks] = fields.trim().split("\n");
    const [, , , , group, session] = stat.split(" ");
    expect(session).toBe(group);
    expect(session).not.toBe(readFileSync("/proc/self/stat", "utf8").split(" ")[5]);
    const bits = Object.fromEntries(
      masks.map((mask) => mask.split(":\t")).map(([name, digits]) => [name, BigInt(`0x${digits}`) & 0x7fffffffn]),
    );
    expect(bits).toEqual({ SigBlk: 0n, SigIgn: 0n });
  });

  test.each([
    ["a program that is not there", { argv: ["/nonexistent"] }, "ENOENT"],
    ["a folder that is not there", { argv: ["/bin/true"], cwd: "/nonexistent" }, "ENOENT"],
    ["a file that is none", { argv: ["/bin/true"], files: [9999] }, "EBADF"],
    ["an argument that is too long", { argv: ["/bin/true", "x".repeat(1 << 18)] }, "E2BIG"],
    ["too many arguments", { argv: ["/bin/true", ...Array<string>(60).fill("x".repeat(100_000))] }, "E2BIG"],
    ["what is no program", { argv: ["/etc/passwd"] }, "EACCES"],
    ["an argument with U+0000", { argv: ["/bin/true", "a\0b"] }, "EINVAL"],
    ["a variable with U+0000", { argv: ["/bin/true"], env: { A: "a\0b" } }, "EINVAL"],
  ])("%s is an error", (_, options, code) => {
    expect(() => start(options)).toThrow(expect.objectContaining({ code }));
  });
});

test("reap tells of an end once", async () => {
  const pid = start({ argv: ["/bin/sh", "-c", "sleep 0.1; exit 7"] });
  expect(reap(pid)).toBeUndefined();
  await expect.poll(() => reap(pid)).toEqual({ code: 7, signal: null });
  expect(() => reap(pid)).toThrow(expect.objectContaining({ code: "ECHILD" }));
  const killed = start({ argv: ["/bin/sh", "-c", "kill -9 $$"] });
  await expect.poll(() => reap(killed)).toEqual({ code: null, signal: 9 });
});

test("a pipe that is widened holds 1 MiB", async () => {
  const { reader, writer } = makePipe();
  widen(writer);
  const output = makePipe();
  const pid = start({ argv: ["/usr/bin/perl", "-e", "print fcntl(STDERR, 1032, 0)"], files: [empty, output.writer, writer] });
  await expect.poll(() => reap(pid)).toEqual({ code: 0, signal: null });
  const buffer = Buffer.alloc(100);
  expect(buffer.toString("utf8", 0, readSync(output.reader, buffer))).toBe("1048576");
  for (const end of [reader, writer, output.reader, output.writer]) closeSync(end);
});

test("a lock is one holder's, until its file is closed", () => {
  const path = join(tempFolder(), "lock");
  const [first, second] = [openSync(path, "w"), openSync(path, "r")];
  expect(tryLock(first)).toBe(true);
  expect(tryLock(second)).toBe(false);
  closeSync(first);
  expect(tryLock(second)).toBe(true);
  closeSync(second);
  expect(() => tryLock(second)).toThrow("EBADF");
});

describe("moveBytes", () => {
  test("moves what is there, no more than asked for, and says 0 where it would have to wait, or nobody reads", () => {
    const [from, to] = [makePipe(), makePipe()];
    expect(moveBytes(from.reader, to.writer, 100)).toBe(0);
    writeSync(from.writer, "hello, world");
    expect(moveBytes(from.reader, to.writer, 5)).toBe(5);
    expect(moveBytes(from.reader, to.writer, 100)).toBe(7);
    const buffer = Buffer.alloc(100);
    expect(buffer.toString("utf8", 0, readSync(to.reader, buffer))).toBe("hello, world");
    do writeSync(from.writer, Buffer.alloc(1 << 12));
    while (moveBytes(from.reader, to.writer, 1 << 16) > 0);
    expect(moveBytes(from.reader, to.writer, 1)).toBe(0);
    closeSync(to.reader);
    expect(moveBytes(from.reader, to.writer, 1)).toBe(0);
    for (const end of [from.reader, from.writer, to.writer]) closeSync(end);
  });
});
