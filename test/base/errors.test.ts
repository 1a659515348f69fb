import { describe, expect, test } from "vitest";
import {
  CommandError,
  hasCode,
  InterruptedError,
  messageOf,
  NspawnError,
  ScriptError,
  TransferError,
  UsageError,
} from "../../src/base/errors.js";
import { LastLines } from "../../src/base/last-lines.js";

describe("errors", () => {
  test("exit codes: 1 the work failed, 2 the script or the call is wrong, 130 interrupted", () => {
    expect(new NspawnError("x").exitCode).toBe(1);
    expect(new TransferError("file:///x", "gone").exitCode).toBe(1);
    expect(new UsageError("x").exitCode).toBe(2);
    expect(new ScriptError([]).exitCode).toBe(2);
    expect(new InterruptedError().exitCode).toBe(130);
  });

  test("a failed command says how it ended", () => {
    expect(new CommandError({ argv: ["tar", "-x"], code: 2, output: "" }).message).toBe("tar failed: exit code 2");
    expect(new CommandError({ argv: ["tar"], signal: "SIGKILL", output: "" }).message).toBe("tar failed: ended by SIGKILL");
  });

  test("a transfer names its URL", () => {
    expect(new TransferError("http://h/x", "HTTP status 404").message).toBe("http://h/x: HTTP status 404");
  });

  test("codes of the system are told from other errors", () => {
    expect(hasCode(Object.assign(new Error("x"), { code: "ENOENT" }), "EPERM", "ENOENT")).toBe(true);
    expect(hasCode(new Error("ENOENT"), "ENOENT")).toBe(false);
    expect(hasCode("ENOENT", "ENOENT")).toBe(false);
  });

  test("anything thrown has a message", () => {
    expect([messageOf(new Error("a")), messageOf("b"), messageOf(undefined)]).toEqual(["a", "b", "undefined"]);
  });
});

describe("LastLines", () => {
  test("only the last lines are kept, in order", () => {
    const last = new LastLines(2);
    for (const line of ["a", "b", "c"]) last.add(line);
    expect(last.text()).toBe("b\nc");
  });
});
