import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  CommandError,
  ConfigError,
  InterruptedError,
  NspawnError,
  ScriptError,
  StepError,
  TemplateError,
  UsageError,
} from "../../src/base/errors.js";
import type { Event } from "../../src/base/events.js";
import { endings, eventFields } from "../../src/cli/json-output.js";
import { type Output, type OutputOptions, openOutput } from "../../src/cli/output.js";
import { type HeardStreams, heardStreams } from "../support/streams.js";

const at = { file: "/srv/web/build.ts", line: 4 };
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const events: { readonly [K in Event["kind"]]: Extract<Event, { kind: K }> } = {
  begin: { kind: "begin", text: "pull u", url: "u" },
  warning: { kind: "warning", text: "careful" },
  detail: { kind: "detail", text: "why" },
  transfer: { kind: "transfer", url: "u", direction: "down", bytes: 5, total: 10, done: false },
  pulled: { kind: "pulled", url: "u", digest, bytes: 1500, seconds: 0.5, how: "fetched" },
  "step-begin": { kind: "step-begin", at, text: "SH x" },
  output: { kind: "output", line: "\x1b[31mline\x1b[2J" },
  "step-end": { kind: "step-end", at, text: "SH x", seconds: 12.34, cached: false },
  pushed: { kind: "pushed", url: "u", digest, bytes: 12, seconds: 1, unchanged: false },
  removed: { kind: "removed", what: "layer", name: "0123456789abcdef", bytes: 2_500_000 },
  acted: { kind: "acted", text: "machine x runs", seconds: 0.25 },
};

async function opened(options: OutputOptions, isTTY = false): Promise<HeardStreams & { readonly output: Output }> {
  const streams = heardStreams(isTTY);
  return { ...streams, output: await openOutput(options, streams) };
}

function reportAll(output: Output): void {
  for (const event of Object.values(events)) output.report(event);
}

async function told(options: OutputOptions, isTTY = false): Promise<HeardStreams> {
  const { output, ...streams } = await opened(options, isTTY);
  reportAll(output);
  output.done();
  return streams;
}

describe("plain lines", () => {
  test("come one for each event; warnings on standard error", async () => {
    const { out, err } = await told({});
    expect(out.lines).toEqual([
      "pull u",
      "pulled u sha256:0123456789ab 1.5 kB (0.50 s)",
      "SH x",
      "  │ line",
      "  done (12.3 s)",
      "pushed u sha256:0123456789ab 12 B (1.00 s)",
      "removed layer 0123456789abcdef (2.5 MB)",
      "machine x runs (0.25 s)",
    ]);
    expect(err.lines).toEqual(["warning: careful"]);
  });

  test("are fewer with --quiet, more with --verbose, and those of the configuration otherwise", async () => {
    const logging = (level: string) => ({ level, format: "%(message)s", datefmt: "" });
    expect((await told({ quiet: true })).out.text).toBe("");
    expect((await told({ quiet: true })).err.lines).toEqual(["warning: careful"]);
    expect((await told({ verbose: true })).out.lines).toContain("why");
    expect((await told({ logging: logging("DEBUG") })).out.lines).toContain("why");
    expect((await told({ logging: logging("warning") })).out.text).toBe("");
    expect((await told({ logging: logging("error") })).err.text).toBe("");
    expect((await told({ verbose: true, logging: logging("error") })).out.lines).toContain("why");
    expect((await told({ quiet: true, logging: logging("debug") })).out.text).toBe("");
  });

  test("have the format of the configuration where there is no terminal", async () => {
    const logging = { level: "info", format: "%(levelname)-7s %(message)s", datefmt: "" };
    const { out, err } = await told({ logging });
    expect(out.lines[0]).toBe("INFO    pull u");
    expect(err.lines).toEqual(["WARNING warning: careful"]);
    const { output, err: errors } = await opened({ logging });
    output.failed(new NspawnError("no", { hint: "yes" }));
    expect(errors.lines).toEqual(["ERROR   error: no", "ERROR     hint: yes"]);
    const terminal = await told({ verbose: true, logging }, true);
    expect(terminal.out.text).not.toContain("INFO");
    await expect(opened({ logging: { ...logging, format: "%(nope)s" } })).rejects.toThrow(UsageError);
  });

  test("on a terminal hold no control characters but colours of ours", async () => {
    const { out } = await told({ verbose: true }, true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(out.text.replace(/\x1b\[\d+m|\n/g, "")).not.toMatch(/\p{Cc}/u);
    expect(out.text).toContain("line");
  });

  test("of an error have the stack with --verbose and with main/trace_error", async () => {
    for (const [options, stack] of [
      [{}, false],
      [{ verbose: true }, true],
      [{ trace: true }, true],
    ] as const) {
      const { output, out, err } = await opened(options);
      output.failed(new NspawnError("no"));
      expect(err.lines[0]).toBe("error: no");
      expect(err.text.includes("output.test.ts")).toBe(stack);
      expect(out.text).toBe("");
    }
  });
});

describe("--json", () => {
  async function objects(act: (output: Output) => void, options: OutputOptions = {}): Promise<readonly Record<string, unknown>[]> {
    const { output, out, err } = await opened({ json: true, ...options }, true);
    act(output);
    expect(err.text).toBe("");
    return out.lines.map((line) => {
      const { time, ...fields } = JSON.parse(line) as Record<string, unknown>;
      expect(new Date(String(time)).toISOString()).toBe(time);
      return fields;
    });
  }

  test("gives an object a line for each event", async () => {
    const lines = await objects(reportAll, { verbose: true });
    expect(lines).toEqual([
      { event: "begin", message: "pull u", url: "u" },
      { event: "warning", message: "careful" },
      { event: "detail", message: "why" },
      { event: "transfer", url: "u", direction: "down", bytes: 5, total: 10, done: false },
      { event: "pulled", url: "u", digest, bytes: 1500, seconds: 0.5, how: "fetched" },
      { event: "step-begin", ...at, step: "SH x" },
      { event: "output", text: "\x1b[31mline\x1b[2J" },
      { event: "step-end", ...at, step: "SH x", seconds: 12.34, cached: false },
      { event: "pushed", url: "u", digest, bytes: 12, seconds: 1, unchanged: false },
      { event: "removed", what: "layer", name: "0123456789abcdef", bytes: 2_500_000 },
      { event: "acted", message: "machine x runs", seconds: 0.25 },
    ]);
  });

  test("ends with done or error, with the exit code", async () => {
    expect(await objects((output) => output.done())).toEqual([{ event: "done", seconds: expect.any(Number) }]);
    expect(await objects((output) => output.failed(new InterruptedError()))).toEqual([
      { event: "error", message: "interrupted", exit: 130 },
    ]);
    const cause = new CommandError({ argv: ["sh", "-c", "x"], code: 3, output: "last\nwords" });
    expect(await objects((output) => output.failed(new StepError(at, "SH x failed", { cause, hint: "h" })))).toEqual([
      { event: "error", message: "SH x failed", hint: "h", ...at, command: ["sh", "-c", "x"], code: 3, output: "last\nwords", exit: 1 },
    ]);
    expect((await objects((output) => output.failed(new Error("x")), { trace: true }))[0]?.stack).toContain("output.test.ts");
  });

  test("gives the place in a template beside that in the script", async () => {
    const cause = new TemplateError({ file: "/srv/web/part", line: 3 }, "no", { hint: "yes", near: "x", column: 7 });
    const template = { file: "/srv/web/part", line: 3, near: "x", column: 7 };
    const message = "CAST: /srv/web/part:3: no";
    expect(await objects((output) => output.failed(new StepError(at, message, { cause, hint: "yes" })))).toEqual([
      { event: "error", ...at, message, hint: "yes", template, exit: 1 },
    ]);
    expect((await objects((output) => output.failed(new ScriptError([{ at, message, cause }]))))[0]).toEqual({
      event: "problem",
      ...at,
      message,
      template,
    });
  });

  test("gives each problem by itself", async () => {
    const problem = { at, message: "no", hint: "yes", near: "word" };
    expect(await objects((output) => output.failed(new ScriptError([problem])))).toEqual([
      { event: "problem", ...at, message: "no", hint: "yes", near: "word" },
      { event: "error", message: "1 problem in /srv/web/build.ts; nothing was done", exit: 2 },
    ]);
    const lines = await objects((output) => output.failed(new ConfigError([{ at: "c.ini:1", message: "no" }])));
    expect(lines[0]).toEqual({ event: "problem", at: "c.ini:1", message: "no" });
    expect(lines[1]).toMatchObject({ event: "error", exit: 2 });
  });

  test("leaves out with --quiet what is no warning", async () => {
    const lines = await objects(reportAll, { quiet: true });
    expect(lines.map(({ event }) => event)).toEqual(["warning"]);
  });

  test("has exactly the events and fields that docs/events.md names", () => {
    const docs = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");
    const rows = docs.split("\n").flatMap((line) => {
      const [, event, fields] = /^\| `([\w-]+)` *\| ([^|]*)\|/.exec(line) ?? [];
      return event === undefined ? [] : [[event, [...(fields ?? "").matchAll(/`(\w+)`/g)].map(([, field]) => field)] as const];
    });
    expect(rows.map(([event]) => event)).toEqual([...Object.keys(eventFields), ...endings]);
    const documented = new Map(rows);
    for (const [kind, fieldsOf] of Object.entries(eventFields)) {
      const fields = (fieldsOf as (event: Event) => object)(events[kind as Event["kind"]]);
      expect(Object.keys(fields).sort(), kind).toEqual([...(documented.get(kind) ?? [])].sort());
    }
  });
});

describe("on a terminal", () => {
  test("what is done stays as a line, what a command wrote does not", async () => {
    const { out, err } = await told({}, true);
    expect(out.text).toMatch(/✓\S* SH x \(12\.3 s\)/);
    expect(out.text).toMatch(/✓\S* pulled u /);
    expect(out.text).not.toContain("line");
    expect(err.text).toContain("careful");
  });

  test("what was going on when it failed is marked, then comes the error", async () => {
    const { output, out, err } = await opened({}, true);
    output.report(events["step-begin"]);
    output.failed(new NspawnError("no"));
    expect(out.text).toMatch(/✗\S* SH x \(0\.\d\d s\)/);
    expect(err.text).toContain("no");
  });

  test("the cursor is never hidden, and nothing is drawn after the end", async () => {
    const { output, out } = await opened({}, true);
    output.report(events["step-begin"]);
    output.report(events.output);
    await new Promise((done) => setTimeout(done, 250));
    expect(out.text).toContain("line");
    output.done();
    const { text } = out;
    await new Promise((done) => setTimeout(done, 250));
    expect(out.text).toBe(text);
    expect(text).not.toContain("\x1b[?25l");
  });
});
