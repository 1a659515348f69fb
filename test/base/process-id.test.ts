import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isAlive, processName, processTitle } from "../../src/base/process-id.js";
import { LocalHost } from "../../src/host/local.js";
import { tempFolder } from "../support/temp.js";

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
    // The shell becomes a program that knows nothing of its child, before that one ends.
    const script = "sleep 0.3 & echo $!; exec tail -f /dev/null";
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

  test("a process is called by its program, or by the script that Node runs, whatever options Node has", async () => {
    const folder = tempFolder();
    for (const [ending, ...options] of [["js"], ["cjs", "--experimental-vm-modules", "--disable-warning=ExperimentalWarning"]]) {
      const script = `${folder}/nspawn-build.${ending}`;
      writeFileSync(script, "console.log(1); process.stdin.resume();");
      const child = spawn(process.execPath, [...options, script, "secret"], { stdio: ["pipe", "pipe", "inherit"] });
      await once(child.stdout, "data");
      expect(processTitle(child.pid ?? 0)).toBe("nspawn-build");
      child.kill();
    }
    const other = spawn("sleep", ["60"]);
    await expect.poll(() => processTitle(other.pid ?? 0)).toBe("sleep");
    other.kill();
    expect(processTitle(999999999)).toBeUndefined();
  });
});
