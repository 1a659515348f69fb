import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Statements, type Wrong } from "../../src/plan/statement.js";
import { tempFolder } from "../support/temp.js";
import { tries } from "../support/tries.js";

/** The text of the line that is found in a script; the call is where the script says `/*call*\/`, or on its first line. */
function found(script: string, keyword: string, wrong: Wrong): string {
  const file = join(tempFolder(), "build.ts");
  writeFileSync(file, script);
  const lines = script.split("\n");
  const start = Math.max(
    0,
    lines.findIndex((line) => line.includes("/*call*/")),
  );
  const place = new Statements().spot({ file, line: start + 1 }, keyword, wrong).at;
  expect(place.file).toBe(file);
  return (lines[place.line - 1] ?? "none").trim();
}

const near = (text: string, ...fields: readonly string[]): Wrong => ({ fields, near: text });

describe("the line of what is wrong in a call", () => {
  const machine = `
import { MACHINE } from "nspawn/setup";
const state = "kept";
/*call*/MACHINE({
  name: "state", // state: "kept" is wrong
  /* state: "kept" */
  serviceConf: ["kept=)", 'it\\'s ) kept', \`
    ) kept
  \`, String(Math.max(1, 2))],
  unitConf: [
    "After=kept.service",
    "wrong",
  ],
  stateless: "wrong kept",
  state: "kept",
});
const after = { state: "kept", other: 1 };
`;

  test("a field's value, wherever else the words stand", () => {
    expect(found(machine, "MACHINE", near("kept", "state"))).toBe('state: "kept",');
    expect(found(machine, "MACHINE", near("wrong", "unitConf"))).toBe('"wrong",');
    expect(found(machine, "MACHINE", near("state", "name"))).toBe('name: "state", // state: "kept" is wrong');
  });

  test("a field whose value is not found, and a field's name that is wrong itself", () => {
    expect(found(machine, "MACHINE", { fields: ["state"] })).toBe('state: "kept",');
    expect(found(machine, "MACHINE", near("value of a variable", "unitConf"))).toBe("unitConf: [");
    expect(found(machine, "MACHINE", near("stateless"))).toBe('stateless: "wrong kept",');
    expect(found(machine, "MACHINE", near("state"))).toBe('state: "kept",');
  });

  test("what is not found, or stands behind the call, is the call's own line", () => {
    expect(found(machine, "MACHINE", near("other"))).toBe("/*call*/MACHINE({");
    expect(found(machine, "MACHINE", { fields: [] })).toBe("/*call*/MACHINE({");
    expect(found(machine, "MACHINE", near(""))).toBe("/*call*/MACHINE({");
    expect(found(machine, "MACHINE", near("kept", "gone"))).toMatch(/kept/);
  });

  test("a part of a longer word does not count, with letters of any language", () => {
    const script = `PULL({\n  a: "größe",\n  b: "gr",\n  c: "$gr",\n})`;
    expect(found(script, "PULL", near("gr"))).toBe('b: "gr",');
    expect(found(`PULL({\n  a: 10,\n  b: 1\n})`, "PULL", near("1"))).toBe("b: 1");
    expect(found(`PULL({\n  a: "--hooks",\n  b: "--hook"\n})`, "PULL", near("--hook"))).toBe('b: "--hook"');
  });

  test("names in quotes, with spaces before the colon, and shorthand fields", () => {
    expect(found(`PULL({\n  x: "url",\n  "url" : "bad"\n})`, "PULL", { fields: ["url"] })).toBe('"url" : "bad"');
    expect(found(`PULL({\n  digest,\n  url,\n})`, "PULL", near("debian.tar.gz", "url"))).toBe("url,");
  });

  test("a value with escapes is found as a literal has it", () => {
    expect(found('SH({\n  a: "x",\n  script: "a\\nb\\"c"\n})', "SH", near('a\nb"c', "script"))).toBe('script: "a\\nb\\"c"');
    expect(found('SH([\n  "x",\n  "a\\tb",\n])', "SH", near("a\tb"))).toBe('"a\\tb",');
  });

  test("the word itself: the value of that field, or the field's name where the value is not written there", () => {
    const file = join(tempFolder(), "build.ts");
    const call = 'WITH({ Boot: "maybe", Hostname: x, Private: "maybe" });';
    writeFileSync(file, `const maybe = 1; ${call}\n`);
    const at = { file, line: 1 };
    const spot = (field: string): unknown => new Statements().spot(at, "WITH", near("maybe", field));
    const column = (text: string): number => `const maybe = 1; ${call}`.indexOf(text);
    expect(spot("Boot")).toEqual({ at, near: "maybe", column: column('maybe", Host') });
    expect(spot("Private")).toEqual({ at, near: "maybe", column: column('maybe" }') });
    expect(new Statements().spot(at, "WITH", near("no such", "Hostname"))).toEqual({ at, near: "Hostname", column: column("Hostname") });
  });

  test("fields in fields", () => {
    const script = `CAST("/a", {\n  b: 1,\n  a: {\n    c: 2,\n    b: () => 1,\n  },\n})`;
    expect(found(script, "CAST", { fields: ["a", "b"] })).toBe("b: () => 1,");
  });

  test("a call behind other code on its line, and calls in it", () => {
    const script = `for (const url of (await urls())) if (url) /*call*/PULL ({\n  url: base(url, (x) => x),\n  digest: "bad",\n});\nconst digest = "bad";`;
    expect(found(script, "PULL", near("bad", "digest"))).toBe('digest: "bad",');
    expect(found(`}); WITH({\n  Boots: true,\n});`, "WITH", near("Boots"))).toBe("Boots: true,");
  });

  test("a keyword under another name is found from the line's start", () => {
    expect(found(`pull({\n  digest: "bad",\n});`, "PULL", near("bad", "digest"))).toBe('digest: "bad",');
  });

  test("CRLF and other ends of lines count as JavaScript counts them", () => {
    const file = join(tempFolder(), "a.ts");
    for (const end of ["\r\n", "\n", "\r", "\u2028", "\u2029"]) {
      writeFileSync(file, ["// a", "PULL({", 'url: "x",', "})"].join(end));
      expect(new Statements().spot({ file, line: 2 }, "PULL", near("x", "url"))).toEqual({ at: { file, line: 3 }, near: "x", column: 6 });
    }
  });

  test("a file that is gone, a folder, a line that is not there", () => {
    const folder = tempFolder();
    const statements = new Statements();
    for (const at of [
      { file: join(folder, "gone.ts"), line: 7 },
      { file: folder, line: 1 },
      { file: "unknown", line: 0 },
      { file: "node:internal", line: 12 },
    ])
      expect(statements.spot(at, "PULL", near("x", "url")).at).toEqual(at);
    writeFileSync(join(folder, "short.ts"), "PULL()\n");
    const beyond = { file: join(folder, "short.ts"), line: 99 };
    expect(statements.spot(beyond, "PULL", near("PULL")).at).toEqual(beyond);
  });

  test("a call that never closes is its first line, and one that is huge takes no time", () => {
    expect(found(`PULL({\n  url: "x",\n`, "PULL", near("x", "url"))).toBe("PULL({");
    expect(found(`PULL({ // it's\n  url: "x\n})`, "PULL", near("x", "url"))).toBe('url: "x');
    const started = performance.now();
    expect(found(`RUN([\n${'  "argument",\n'.repeat(200_000)}  "bad",\n])`, "RUN", near("bad"))).toBe("RUN([");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("random text: never a throw, never out of the file, before the call or behind its statement", () => {
    const folder = tempFolder();
    const file = join(folder, "random.ts");
    const piece = fc.oneof(
      fc.constantFrom(
        ..."()[]{}'\"`/*\\,:$",
        "//",
        "/*",
        "*/",
        "${",
        "url",
        "url:",
        "PULL(",
        "\n",
        "\r\n",
        "\\\n",
        "\u2028",
        '"bad"',
        "it's",
      ),
      fc.string({ unit: "grapheme", maxLength: 8 }),
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(
        text,
        text,
        fc.nat({ max: 5 }),
        fc.array(fc.constantFrom("url", "", "bad", ".*", "(")),
        fc.option(piece),
        (before, body, skip, fields, word) => {
          const head = `${before}\n${"\n".repeat(skip)}`;
          const call = `PULL(${body}`;
          writeFileSync(file, `${head}${call}`);
          const ends = /\r\n|[\n\r\u2028\u2029]/;
          const line = head.split(ends).length;
          const place = new Statements().spot({ file, line }, "PULL", { fields, near: word ?? undefined }).at;
          expect(place.file).toBe(file);
          expect(place.line).toBeGreaterThanOrEqual(line);
          expect(place.line).toBeLessThan(line + call.split(ends).length);
        },
      ),
      { numRuns: tries(500) },
    );
  });

  test("a call of random values: its closing parenthesis is the last line, whatever the values have in them", () => {
    const folder = tempFolder();
    const file = join(folder, "call.ts");
    const literal = fc.oneof(
      fc.string({ unit: "grapheme" }).map((value) => JSON.stringify(value)),
      fc.constantFrom("'it\\'s ('", "`)\n${1}`", "/* ) */ 1", "// )\n 2", "f(g(1), h())", "[(1)]", '")"'),
    );
    fc.assert(
      fc.property(fc.array(literal, { maxLength: 8 }), (values) => {
        const call = `RUN([\n${values.map((value) => `  ${value},\n`).join("")}  lastOne,\n])`;
        writeFileSync(file, `const a = 1;\n${call};\nconst marker = "marker";\n`);
        const at = { file, line: 2 };
        const last = call.split(/\r\n|[\n\r\u2028\u2029]/).length;
        expect(new Statements().spot(at, "RUN", near("lastOne")).at).toEqual({ file, line: last });
        expect(new Statements().spot(at, "RUN", near("marker")).at).toEqual(at);
      }),
      { numRuns: tries(300) },
    );
  });
});
