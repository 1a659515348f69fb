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

  test("a program whose name looks like fields of its state is read right", async () => {
    const running = await new LocalHost().runBeside({ argv: ["sh", "-c", "printf 'a) R 1 2 (b' > /proc/self/comm; echo x; read line"] });
    const name = processName(running.pid) ?? "";
    expect(name).toMatch(/^\d+-\d{3,}$/);
    expect(isAlive(name)).toBe(true);
    await running.close();
  });
});
