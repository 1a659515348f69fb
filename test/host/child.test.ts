import { openSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Child, startChild } from "../../src/host/child.js";
import { reap } from "../../src/host/libc.js";

const empty = openSync("/dev/null", "r");

const start = (script: string): Child => startChild({ argv: ["/bin/sh", "-c", script], env: {}, files: [empty, empty, empty] });

/** Nothing is told meanwhile. */
function sleepDeaf(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe("startChild", () => {
  test("tells how each of many has ended, though they end at once", async () => {
    const codes = Array.from({ length: 60 }, (_, index) => index);
    const children = codes.map((code) => start(`sleep 0.2; exit ${code}`));
    expect(children.some(({ hasEnded }) => hasEnded)).toBe(false);
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(codes.map((code) => ({ code, signal: null })));
    expect(children.every(({ hasEnded }) => hasEnded)).toBe(true);
    expect(process.listenerCount("SIGCHLD")).toBe(0);
  });

  test("tells of one that has ended before anybody could look, and of one by a signal", async () => {
    const child = start("exit 3");
    sleepDeaf(200);
    expect(await child.ended).toEqual({ code: 3, signal: null });
    expect(await start("kill -TERM $$").ended).toEqual({ code: null, signal: "SIGTERM" });
  });

  test("is told within milliseconds, not when the timer looks", async () => {
    const began = performance.now();
    for (let count = 0; count < 20; count++) await start("exit 0").ended;
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("one whose end somebody else was told of has ended all the same", async () => {
    const child = start("exit 3");
    sleepDeaf(500);
    expect(reap(child.pid)).toEqual({ code: 3, signal: null });
    expect(await child.ended).toEqual({ code: null, signal: null });
    expect(child.hasEnded).toBe(true);
  });

  test("one that cannot be started leaves nobody waiting", () => {
    expect(() => startChild({ argv: ["/nonexistent"], env: {}, files: [] })).toThrow("ENOENT");
    expect(process.listenerCount("SIGCHLD")).toBe(0);
  });

  test("what it leaves behind is not waited for", async () => {
    const began = performance.now();
    const { pid, ended } = start("sleep 60 &");
    await ended;
    expect(performance.now() - began).toBeLessThan(20_000);
    process.kill(-pid, "SIGKILL");
  });
});
