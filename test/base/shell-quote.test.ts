import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shellQuote } from "../../src/base/shell-quote.js";
import { anyText } from "../support/arbitrary.js";

describe("shellQuote", () => {
  test("a shell reads back the same arguments, whatever is in them", () => {
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 6 }), (argv) => {
        const output = execFileSync("sh", ["-c", `printf '%s\\0' ${shellQuote(argv)}`], { encoding: "utf8" });
        expect(output.split("\0").slice(0, -1)).toEqual(argv);
      }),
      { numRuns: 150 },
    );
  });

  test("plain words stay as they are, for people", () => {
    expect(shellQuote(["/usr/bin/env", "--x=a,b", "user@host:80%"])).toBe("/usr/bin/env --x=a,b user@host:80%");
  });

  test("an empty argument is still an argument", () => {
    expect(shellQuote(["a", ""])).toBe("a ''");
  });

  test("a program whose name looks like an assignment is still the program", () => {
    const quoted = shellQuote(["A=1", "true"]);
    expect(() => execFileSync("sh", ["-c", quoted], { stdio: "pipe" })).toThrow(/not found/);
  });
});
