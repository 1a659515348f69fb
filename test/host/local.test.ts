import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError, InterruptedError, MissingProgramError } from "../../src/base/errors.js";
import { isAlive, processName } from "../../src/base/process-id.js";
import { baseEnvironment, LocalHost } from "../../src/host/local.js";
import { programPath, requirePrograms } from "../../src/host/programs.js";
import { tempFolder } from "../support/temp.js";

const sh = (script: string) => ["sh", "-c", script] as const;

describe("LocalHost.run", () => {
  const host = new LocalHost();

  test("standard output is collected, with characters that lie across chunks", async () => {
    const { stdout } = await host.run({ argv: sh("printf 'h\\303'; sleep 0.05; printf '\\251llo\\n'") });
    expect(stdout).toBe("héllo\n");
  });

  test("lines come one by one, the last one also without a line break", async () => {
    const lines: string[] = [];
    const errors: string[] = [];
    await host.run({
      argv: sh("printf 'a\\r\\nb\\n\\nc'; echo e >&2"),
      output: (line) => void lines.push(line),
      onLine: (line) => void errors.push(line),
    });
    expect(lines).toEqual(["a", "b", "", "c"]);
    expect(errors).toEqual(["e"]);
  });

  test("input goes in, as text or as a stream", async () => {
    expect((await host.run({ argv: ["sh", "-c", "cat"], input: "text" })).stdout).toBe("text");
    expect((await host.run({ argv: ["sh", "-c", "cat"], input: Readable.from(["a", "b"]) })).stdout).toBe("ab");
    expect((await host.run({ argv: ["sh", "-c", "cat"] })).stdout).toBe("");
  });

  test("output goes to a stream, which is ended", async () => {
    const output = new PassThrough();
    const [collected] = await Promise.all([text(output), host.run({ argv: sh("echo x"), output })]);
    expect(collected).toBe("x\n");
  });

  test("a program that does not read its input to the end is no error", async () => {
    const input = Readable.from(Array.from({ length: 100 }, () => "x".repeat(100_000)));
    await expect(host.run({ argv: sh("head -c 10"), input })).resolves.toEqual({ stdout: "xxxxxxxxxx" });
  });

  test("an input that breaks off is an error", async () => {
    const input = Readable.from(
      (async function* () {
        yield "a";
        throw new Error("broke off");
      })(),
    );
    await expect(host.run({ argv: sh("cat"), input })).rejects.toThrow("broke off");
  });

  test("a program that waits for its input gets no more of it when its output cannot be written", async () => {
    const input = new PassThrough();
    input.write("a");
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error("full")) });
    await expect(host.run({ argv: sh("cat"), input, dropsInput: true, output })).rejects.toThrow("full");
    expect(input.destroyed).toBe(true);
  }, 10_000);

  test("a failure has the command, the exit code and the last lines", async () => {
    const error = await host.run({ argv: sh("for i in $(seq 30); do echo line $i >&2; done; exit 3") }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ code: 3, signal: undefined });
    const lines = (error as CommandError).output.split("\n");
    expect(lines).toHaveLength(20);
    expect(lines.at(-1)).toBe("line 30");
  });

  test("a program that a signal ended says so", async () => {
    await expect(host.run({ argv: sh("kill -TERM $$") })).rejects.toMatchObject({ signal: "SIGTERM", code: undefined });
  });

  test("in errors stands the user's own command", async () => {
    await expect(host.run({ argv: sh("exit 1"), shown: ["mine", "x"] })).rejects.toMatchObject({ argv: ["mine", "x"] });
  });

  test("programs get nothing of the user's environment", async () => {
    process.env.NSPAWN_TEST_SECRET = "secret";
    const { stdout } = await host.run({ argv: ["env"] });
    delete process.env.NSPAWN_TEST_SECRET;
    expect(stdout).not.toContain("secret");
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(Object.keys(baseEnvironment()).sort());
  });

  test("a program dies with this process, unless it only looks at something", async () => {
    const prctl = process.arch === "arm64" ? 167 : 157;
    const signals = async (mayOutlive: boolean): Promise<string> =>
      (
        await new LocalHost().run({
          argv: ["perl", "-e", `my $signal = pack('i', 0); syscall(${prctl}, 2, $signal) == 0 or die; print unpack('i', $signal)`],
          mayOutlive,
        })
      ).stdout;
    // prctl(PR_GET_PDEATHSIG): SIGKILL or none.
    expect(await signals(false)).toBe("9");
    expect(await signals(true)).toBe("0");
  });

  test("an environment of one's own is the whole of it", async () => {
    expect((await host.run({ argv: ["env"], env: { A: "1 2" } })).stdout).toBe("A=1 2\n");
  });
});

describe("LocalHost.runBeside", () => {
  test("it is there once it has written something, and ends when it is closed", async () => {
    const host = new LocalHost();
    const running = await host.runBeside({ argv: sh("echo ready; exec cat") });
    const name = processName(running.pid);
    expect(name).toBeDefined();
    await running.close();
    expect(isAlive(name ?? "")).toBe(false);
  });

  test("one that fails at once is an error with its words", async () => {
    const host = new LocalHost();
    await expect(host.runBeside({ argv: sh("echo no >&2; exit 4") })).rejects.toMatchObject({ code: 4, output: "no" });
    await expect(host.runBeside({ argv: sh("exit 0") })).rejects.toThrow(CommandError);
  });
});

describe("LocalHost.interrupt", () => {
  test("all programs end, with all that they have started, and no new one starts", async () => {
    const host = new LocalHost();
    let pid = 0;
    const run = host.run({ argv: sh("sleep 60 & echo $!; wait"), output: (line) => (pid = Number(line)) });
    run.catch(() => undefined);
    await expect.poll(() => pid).toBeGreaterThan(0);
    host.interrupt();
    await expect(run).rejects.toThrow(InterruptedError);
    // Killed, and gone or waiting to be collected by init.
    await expect.poll(() => spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim()).toMatch(/^(Z.*)?$/);
    await expect(host.run({ argv: sh("true") })).rejects.toThrow(InterruptedError);
  });

  test("may be waited for by many, of which Node does not warn", async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", note);
    const { interrupted } = new LocalHost();
    for (let index = 0; index < 50; index++) interrupted.addEventListener("abort", () => undefined);
    await new Promise((done) => setTimeout(done, 10));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  test("what cleans up still runs", async () => {
    const host = new LocalHost();
    host.interrupt();
    await expect(host.run({ argv: sh("echo clean"), cleansUp: true })).resolves.toEqual({ stdout: "clean\n" });
  });
});

describe("programs", () => {
  const path = process.env.PATH;
  beforeEach(() => {
    process.env.PATH = "/nowhere:relative:";
  });
  afterEach(() => {
    process.env.PATH = path;
  });

  test("system folders are looked in whatever PATH says", () => {
    expect(programPath("sh")).toMatch(/^\/(usr\/)?bin\/sh$/);
  });

  test("what is missing is named at once, with the command that brings it", () => {
    const error = (() => {
      try {
        requirePrograms(["sh", "no-such-a" as "sh", "no-such-b" as "tar"]);
      } catch (error) {
        return error;
      }
    })();
    expect(error).toBeInstanceOf(MissingProgramError);
    expect(String(error)).toMatch(/no-such-a, no-such-b/);
  });
});

/** Lines of both outputs of a program. */
async function linesOf(script: string, host = new LocalHost()): Promise<readonly string[]> {
  const lines: string[] = [];
  await host.run({ argv: sh(script), output: (line) => void lines.push(line), onLine: (line) => void lines.push(`! ${line}`) });
  return lines;
}

describe("the pipes of programs", () => {
  test("are real ones: a program can open its output by name", async () => {
    const script =
      "echo a > /dev/stdout; echo b > /dev/stderr; for i in 1 2; do stat -Lc %F /proc/self/fd/$i; done; stat -Lc %F /dev/stdin";
    expect([...(await linesOf(script))].sort()).toEqual(["! b", "a", "character special file", "fifo", "fifo"]);
  });

  test("pass on all of a long output, in order, before the end of the program is told", async () => {
    const lines = await linesOf("seq 200000; seq 3 >&2");
    expect(lines.filter((line) => !line.startsWith("!"))).toEqual(Array.from({ length: 200_000 }, (_, index) => String(index + 1)));
    expect(lines.filter((line) => line.startsWith("!"))).toEqual(["! 1", "! 2", "! 3"]);
  });

  test("are each program's own, and all are closed in the end", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const all = await Promise.all(Array.from({ length: 30 }, (_, index) => linesOf(`sleep 0.05; echo ${index}; ls /proc/self/fd`)));
    // Its own three, the folder that ls reads, and what was open for all programs before any of ours was.
    const alone = spawnSync("ls", ["/proc/self/fd"], { encoding: "utf8" }).stdout;
    expect(all).toEqual(Array.from({ length: 30 }, (_, index) => [String(index), ...alone.trim().split("\n")]));
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 1);
  });

  test("who has left a program behind that holds one is not waited for, if it may", async () => {
    const lines: string[] = [];
    const started = performance.now();
    await new LocalHost().run({ argv: sh("echo x; sleep 5 & exit 0"), output: (line) => void lines.push(line), mayDetach: true });
    expect(lines).toEqual(["x"]);
    expect(performance.now() - started).toBeLessThan(4000);
  });

  test("an interrupt ends what runs", async () => {
    const host = new LocalHost();
    const running = linesOf("echo begun; sleep 60", host);
    setTimeout(() => host.interrupt(), 200);
    await expect(running).rejects.toThrow("interrupted");
  });
});

test("bash has no login from elsewhere for a reason to read ~/.bashrc", async () => {
  const { stdout } = await new LocalHost().run({
    argv: ["sh", "-ec", 'echo "echo read" > "$HOME/.bashrc"; bash -c "echo run"'],
    env: { PATH: process.env.PATH ?? "", HOME: tempFolder() },
  });
  expect(stdout).toBe("run\n");
});
