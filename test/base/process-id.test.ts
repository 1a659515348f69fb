import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isAlive, processName } from "../../src/base/process-id.js";
import { LocalHost } from "../../src/host/local.js";

describe("process names", () => {
  test("this process is alive, one of another time is not, nonsense neither", () => {
    const name = processName() ?? "";
    expect(name).toMatch(new RegExp(`^${process.pid}-\\d+$`));
    expect(isAlive(name)).toBe(true);
    expect(isAlive(`${process.pid}-1`)).toBe(false);
    expect(isAlive("999999999-1")).toBe(false);
    expect(isAlive("")).toBe(false);
    expect(processName(999999999)).toBeUndefined();
  });

  test("a process that has ended and that nobody collects is not alive", async () => {
    // The shell becomes a program that knows nothing of its child.
    const script = "true & echo $!; exec tail -f /dev/null";
    const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(line.toString());
      await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
      expect(processName(pid)).toBeUndefined();
    } finally {
      parent.kill("SIGKILL");
    }
  });

  test("a program whose name looks like fields of its state is read right", async () => {
    const running = await new LocalHost().runBeside({ argv: ["sh", "-c", "printf 'a) R 1 2 (b' > /proc/self/comm; echo x; read line"] });
    const name = processName(running.pid) ?? "";
    expect(name).toMatch(/^\d+-\d{3,}$/);
    expect(isAlive(name)).toBe(true);
    await running.close();
  });
});
