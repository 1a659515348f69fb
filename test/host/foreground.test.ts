import { describe, expect, test } from "vitest";
import { runInForeground } from "../../src/host/foreground.js";

describe("runInForeground", () => {
  test("gives the program's exit code, or that of a shell for its signal", async () => {
    expect(await runInForeground(["sh", "-c", "exit 7"])).toBe(7);
    expect(await runInForeground(["sh", "-c", "kill -TERM $$"])).toBe(143);
  });

  test("passes the terminal's variables on, and no others", async () => {
    const before = { TERM: process.env.TERM, SECRET: process.env.SECRET };
    Object.assign(process.env, { TERM: "vt100", SECRET: "x" });
    try {
      expect(await runInForeground(["sh", "-c", 'test "$TERM" = vt100 && test -z "$SECRET" && test -n "$PATH"'])).toBe(0);
    } finally {
      for (const [name, value] of Object.entries(before))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    }
  });

  test("leaves no handlers of signals behind", async () => {
    const count = (): readonly number[] => ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => process.listenerCount(signal));
    const before = count();
    await runInForeground(["sh", "-c", "true"]);
    expect(count()).toEqual(before);
  });
});
