import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { LocalHost } from "../../src/host/local.js";
import { tempFolder } from "../support/temp.js";

const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

type Outcome = { readonly output: string; readonly errors: readonly string[] };

/** Runs a script of bash with pipes for bulk. */
async function outcomeOf(script: string, input: Readable | string, ...args: readonly string[]): Promise<Outcome> {
  const host = new LocalHost();
  const output: Buffer[] = [];
  const errors: string[] = [];
  await host.run({
    argv: ["bash", "-c", script, "bash", ...args],
    input,
    onLine: (line) => void errors.push(line),
    bulk: {
      take: (piece, done) => {
        output.push(Buffer.from(piece));
        done();
      },
    },
  });
  return { output: Buffer.concat(output).toString("latin1"), errors };
}

/** F_GETPIPE_SZ, see fcntl(2), of the standard input and output. */
const sizes = "perl -e 'print STDERR fcntl($_, 1032, 0), qq(\\n) for *STDIN, *STDOUT'";

describe("a program with pipes for bulk", () => {
  test("has pipes of 1 MiB, and its name and arguments as they are", async () => {
    const { output, errors } = await outcomeOf(`${sizes}; printf '%s,' "$0" "$@"; cat`, "hello", "a b", "", "$x", "--");
    expect(errors).toEqual(["1048576", "1048576"]);
    expect(output).toBe("bash,a b,,$x,--,hello");
  });

  test("gets all of a long input, and all comes back", async () => {
    const chunks = Array.from({ length: 60 }, (_, index) => randomBytes(1 + index * 20_011));
    const { output } = await outcomeOf("cat", Readable.from(chunks));
    const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
    expect(digest(Buffer.from(output, "latin1"))).toBe(digest(Buffer.concat(chunks)));
  });

  test("may end before it has read its input", async () => {
    const { output } = await outcomeOf(
      "head -c 3; exec < /dev/null; sleep 0.1",
      Readable.from([Buffer.from("abcdef"), Buffer.alloc(5_000_000)]),
    );
    expect(output).toBe("abc");
  });

  test("that cannot be started is an error", async () => {
    const host = new LocalHost();
    process.env.PATH = tempFolder();
    await expect(host.run({ argv: ["mmdebstrap-none" as "mmdebstrap"], input: "x", bulk: {} })).rejects.toThrow("not installed");
  });
});
