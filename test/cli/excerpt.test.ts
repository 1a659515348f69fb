import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../src/cli/columns.js";
import { excerpt } from "../../src/cli/excerpt.js";
import type { Paint } from "../../src/cli/style.js";
import { tempFolder } from "../support/temp.js";

const plain: Paint = (_, text) => text;

function excerptOf(content: string | Buffer, line: number, near?: string): readonly string[] {
  const file = join(tempFolder(), "build.ts");
  writeFileSync(file, content);
  return excerpt({ file, line }, near, plain);
}

/** The part of the quoted line that the carets are below. */
function underlined([quoted = "", carets = ""]: readonly string[]): string {
  const start = columnsOf(carets.slice(0, carets.indexOf("^")));
  const chars: string[] = [];
  let column = 0;
  for (const { segment } of new Intl.Segmenter().segment(quoted)) {
    if (column >= start && column < carets.length) chars.push(segment);
    column += columnsOf(segment);
  }
  return chars.join("");
}

describe("the line of a script", () => {
  test("is quoted with its number, and carets below the wrong word", () => {
    expect(excerptOf('one\nWITH({ Enviroment: "" });\n', 2, "Enviroment")).toEqual([
      '   2 | WITH({ Enviroment: "" });',
      "     |        ^^^^^^^^^^",
    ]);
  });

  test("is quoted alone where no word is known, or it is not there", () => {
    expect(excerptOf("RUN([]);", 1)).toEqual(["   1 | RUN([]);"]);
    expect(excerptOf("RUN([]);", 1, "SH")).toEqual(["   1 | RUN([]);"]);
    expect(excerptOf("RUN([]);", 1, "")).toEqual(["   1 | RUN([]);"]);
  });

  test("a whole word goes before a part of one, a value is found as it is written", () => {
    expect(excerptOf("Binder({ Bind: 1 })", 1, "Bind")[1]).toBe("     |          ^^^^");
    expect(excerptOf("Binder({})", 1, "Bind")[1]).toBe("     | ^^^^");
    expect(underlined(excerptOf('SH("say \\"hi\\"\\n")', 1, 'say "hi"\n'))).toBe('say \\"hi\\"\\n');
    expect(underlined(excerptOf('COPY("/a.*[b]")', 1, "/a.*[b]"))).toBe("/a.*[b]");
  });

  test("tabs and wide characters leave the carets in their place", () => {
    expect(underlined(excerptOf('\t\tEXEC("日本語", wrong)', 1, "wrong"))).toBe("wrong");
    expect(underlined(excerptOf('EXEC("🚀🇩🇪e\u0301", "日本")', 1, "日本"))).toBe("日本");
  });

  test("of hundreds of characters is shown around the word", () => {
    const long = `${"a ".repeat(200)}wrong ${"b ".repeat(200)}`;
    const lines = excerptOf(long, 1, "wrong");
    expect(underlined(lines)).toBe("wrong");
    expect(lines[0]).toMatch(/^ {3}1 \| ….*wrong.*…$/);
    for (const line of lines) expect(line.length).toBeLessThan(130);
    expect(excerptOf("x".repeat(500), 1)[0]).toHaveLength("   1 | ".length + 110 + 1);
    expect(excerptOf(`${" ".repeat(300)}x`, 1, "x".repeat(300))).toHaveLength(1);
    expect(excerptOf("x".repeat(500), 1, "x".repeat(500))[1]?.length).toBeLessThan(130);
  });

  test("ends as it does in JavaScript, and is shown without what a terminal obeys", () => {
    expect(excerptOf("one\r\ntwo\u2028three", 3)).toEqual(["   3 | three"]);
    expect(excerptOf("a\x1b[2Jb \x07 wrong", 1, "wrong")).toEqual(["   1 | ab \\u0007 wrong", `     | ${" ".repeat(10)}^^^^^`]);
    expect(excerptOf("\ufeffRUN([])", 1)).toEqual(["   1 | RUN([])"]);
  });

  test("is left out where there is no such line, no text, or no file (any more)", () => {
    expect(excerptOf("one\n", 7, "one")).toEqual([]);
    expect(excerptOf("one\n\nthree", 2)).toEqual([]);
    expect(excerptOf(Buffer.from([0xff, 0xfe, 0x00]), 1)).toEqual([]);
    expect(excerptOf("binary\0\n", 1)).toEqual([]);
    expect(excerpt({ file: "/no/such/build.ts", line: 1 }, "x", plain)).toEqual([]);
    expect(excerpt({ file: "/dev/zero", line: 1 }, "x", plain)).toEqual([]);
    expect(excerpt({ file: tempFolder(), line: 1 }, "x", plain)).toEqual([]);
  });

  test("whatever it is, what is underlined is what was asked for", () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9äß]{1,12}$/);
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 200 });
    const folder = tempFolder();
    fc.assert(
      fc.property(text, word, text, (before, near, after) => {
        const file = join(folder, "build.ts");
        writeFileSync(file, `${before} ${near} ${after}`);
        expect(underlined(excerpt({ file, line: 1 }, near, plain))).toBe(near);
      }),
    );
  });
});
