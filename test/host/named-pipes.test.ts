import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CommandError } from "../../src/base/errors.js";
import { LocalHost } from "../../src/host/local.js";
import { NamedPipes } from "../../src/host/named-pipes.js";
import { tempFolder } from "../support/temp.js";

const sh = (script: string) => ["sh", "-c", script] as const;

/** Lines of both outputs of a program that has real pipes. */
async function linesOf(script: string, pipes: NamedPipes, host = new LocalHost()): Promise<readonly string[]> {
  const lines: string[] = [];
  await host.run({ argv: sh(script), output: (line) => void lines.push(line), onLine: (line) => void lines.push(`! ${line}`), pipes });
  return lines;
}

describe("NamedPipes", () => {
  const pipesIn = (folder: string): NamedPipes => new NamedPipes(new LocalHost(), join(folder, "pipes"));

  test("a program can open its output by name, and has no socket", async () => {
    const script =
      "echo a > /dev/stdout; echo b > /dev/stderr; for i in 1 2; do stat -Lc %F /proc/self/fd/$i; done; stat -Lc %F /dev/stdin";
    const lines = await linesOf(script, pipesIn(tempFolder()));
    expect([...lines].sort()).toEqual(["! b", "a", "character special file", "fifo", "fifo"]);
  });

  test("all of a long output comes, in order, before the end of the program does", async () => {
    const lines = await linesOf("seq 200000; seq 3 >&2", pipesIn(tempFolder()));
    expect(lines.filter((line) => !line.startsWith("!"))).toEqual(Array.from({ length: 200_000 }, (_, index) => String(index + 1)));
    expect(lines.filter((line) => line.startsWith("!"))).toEqual(["! 1", "! 2", "! 3"]);
  });

  test("many programs at once have pipes of their own", async () => {
    const pipes = pipesIn(tempFolder());
    const all = await Promise.all(Array.from({ length: 30 }, (_, index) => linesOf(`sleep 0.05; echo ${index}`, pipes)));
    expect(all).toEqual(Array.from({ length: 30 }, (_, index) => [String(index)]));
  });

  test("one after the other they have no name any more, and more are there than are used", async () => {
    const folder = tempFolder();
    const pipes = pipesIn(folder);
    for (let count = 0; count < 9; count++) expect(await linesOf("echo x", pipes)).toEqual(["x"]);
    expect(readdirSync(join(folder, "pipes"))).toHaveLength(14);
  });

  test("a failure has the last lines, and a program that is not there is an error", async () => {
    const pipes = pipesIn(tempFolder());
    await expect(linesOf("echo why >&2; exit 3", pipes)).rejects.toMatchObject({ code: 3, output: "why" });
    await expect(linesOf("kill -9 $$", pipes)).rejects.toThrow(CommandError);
  });

  test("who has left a program behind that holds the pipe is not waited for, if it may", async () => {
    const folder = tempFolder();
    const lines: string[] = [];
    const started = performance.now();
    await new LocalHost().run({
      argv: sh("echo x; sleep 5 & exit 0"),
      output: (line) => void lines.push(line),
      pipes: pipesIn(folder),
      mayDetach: true,
    });
    expect(lines).toEqual(["x"]);
    expect(performance.now() - started).toBeLessThan(4000);
    expect(existsSync(join(folder, "pipes"))).toBe(true);
  });

  test("an interrupt ends what runs", async () => {
    const host = new LocalHost();
    const running = linesOf("echo begun; sleep 60", pipesIn(tempFolder()), host);
    setTimeout(() => host.interrupt(), 200);
    await expect(running).rejects.toThrow("interrupted");
  });
});

test("bash has no login from elsewhere for a reason to read ~/.bashrc", async () => {
  const home = tempFolder();
  const { stdout } = await new LocalHost().run({
    argv: ["sh", "-ec", 'echo "echo read" > "$HOME/.bashrc"; bash -c "echo run"'],
    env: { PATH: process.env.PATH ?? "", HOME: home },
  });
  expect(stdout).toBe("run\n");
});
