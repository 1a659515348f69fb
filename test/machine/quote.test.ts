import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { overlayPath, unitArgument, unitCommand, unitComment, unitPath, unitPaths, unitValue } from "../../src/machine/quote.js";
import { unitText } from "../support/arbitrary.js";
import { systemdWords } from "../support/systemd-words.js";
import { tries } from "../support/tries.js";

const lineBreak = /[\n\r\0]/;

describe("unitArgument", () => {
  test("systemd reads back the same arguments, whatever is in them", () => {
    fc.assert(
      fc.property(fc.array(unitText, { maxLength: 5 }), (argv) => {
        expect(systemdWords(unitCommand(argv))).toEqual(argv);
      }),
      { numRuns: tries(3000) },
    );
  });

  test("every single character survives, alone and after a backslash", () => {
    for (let code = 1; code < 0x300; code++) {
      const char = String.fromCodePoint(code);
      for (const text of [char, `\\${char}`, `a${char}`, `${char}\\`, `%${char}`, `$${char}`])
        expect(systemdWords(unitArgument(text)), JSON.stringify(text)).toEqual([text]);
    }
  });

  test("no argument breaks the line, opens a comment or ends in a backslash", () => {
    fc.assert(
      fc.property(unitText, (text) => {
        const quoted = unitArgument(text);
        expect(quoted).not.toMatch(lineBreak);
        expect(quoted).not.toMatch(/^[#;]|\\$/);
      }),
      { numRuns: tries(2000) },
    );
  });

  test.each([
    ["", '""'],
    ["a b", '"a b"'],
    ["50%", '"50%%"'],
    ["$HOME", '"$$HOME"'],
    ["${HOME}", '"$${HOME}"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["it's", `"it's"`],
    ["a\\b", '"a\\\\b"'],
    ["a\nb", '"a\\nb"'],
    ["\x07", '"\\x07"'],
    [";", '";"'],
    ["#", '"#"'],
    ["--setenv=A=1", "--setenv=A=1"],
    ["/usr/bin/env", "/usr/bin/env"],
    ["-", "-"],
    ["é", '"é"'],
  ])("%j becomes %s", (argument, expected) => {
    expect(unitArgument(argument)).toBe(expected);
  });

  test("what no argument can hold is refused: NUL and halves of characters", () => {
    expect(() => unitArgument("a\0b")).toThrow(/NUL/);
    expect(() => unitArgument("a\ud800b")).toThrow(/half of a character/);
    expect(() => unitArgument("\udc00")).toThrow(/half of a character/);
    expect(unitArgument("😀")).toBe('"😀"');
  });

  test("an argument that no program takes is refused, and its message is short", () => {
    expect(unitArgument("é".repeat(65_535)).length).toBe(65_537);
    expect(() => unitArgument("é".repeat(65_536))).toThrow(/^no program takes an argument of 131072 bytes: é{100}… \(65536 characters\)$/);
  });

  test("noncharacters are refused by name: systemd ignores lines with them", () => {
    for (const [char, name] of [
      ["\ufffe", "U+FFFE"],
      ["\uffff", "U+FFFF"],
      ["\ufdd0", "U+FDD0"],
      ["\u{10ffff}", "U+10FFFF"],
    ] as const) {
      expect(() => unitArgument(`a${char}b`)).toThrow(`a unit cannot hold the character ${name}: `);
      expect(() => unitPath(`/a${char}b`)).toThrow(/cannot hold the path/);
      expect(unitComment(`a${char}b`)).toBe(`a\\u${name.slice(2).toLowerCase()}b`);
    }
    expect(unitArgument("\ufffd\u{10fffd}")).toBe('"\ufffd\u{10fffd}"');
  });
});

describe("unitComment", () => {
  test("a comment stays one line and does not go on in the next", () => {
    fc.assert(
      fc.property(unitText, (text) => {
        const comment = unitComment(text);
        expect(comment).not.toMatch(/[\n\r\0\u2028\u2029]|\\$/);
      }),
      { numRuns: tries(2000) },
    );
  });

  test("plain text stays as it is, a line break is shown", () => {
    expect(unitComment("file:///a b 100% $x é")).toBe("file:///a b 100% $x é");
    expect(unitComment("x".repeat(2_000_000)).length).toBeLessThan(600);
    expect(unitComment("a\nb\0")).toMatch(/^a\\(n|u000a)b\\u0000$/);
  });
});

describe("unitPath", () => {
  test("percent signs are doubled, dollars stay: no variables are looked up in paths", () => {
    expect(unitPath("/srv/100%/$x y")).toBe("/srv/100%%/$x y");
  });

  test.each(["/a\nb", "/a\rb", "/a\0b", "/a ", "/a\t"])("%j is refused", (path) => {
    expect(() => unitPath(path)).toThrow(/cannot hold the path/);
  });

  test("a path that ends in a backslash would swallow the next line, and is refused", () => {
    expect(() => unitPath("/srv/a\\")).toThrow(/cannot hold the path/);
  });
});

describe("unitValue", () => {
  test("percent signs are doubled, all else stays as systemd reads it", () => {
    expect(unitValue('/dev/a b $x "y" 50% \\n')).toBe('/dev/a b $x "y" 50%% \\n');
  });

  test.each(["a\nb", "a\0", "a\tb", "a\\", "\ufffe", "\ud800"])("%j is refused", (value) => {
    expect(() => unitValue(value)).toThrow(/cannot hold/);
  });
});

describe("unitPaths", () => {
  test("paths are quoted one by one; dollars stay, since no variables are looked up", () => {
    expect(unitPaths(["/var/lib/a", "/srv/a b"])).toBe('/var/lib/a "/srv/a b"');
    expect(unitPaths(["/$HOME", "/100%", '/"', "/it's", "/a\\b"])).toBe('"/$HOME" "/100%%" "/\\"" "/it\'s" "/a\\\\b"');
    expect(() => unitPaths(["/a", "/b\nc"])).toThrow(/cannot hold the path/);
  });
});

describe("overlayPath", () => {
  test("what parts options and layers is escaped", () => {
    expect(overlayPath("/a:b,c\\d e")).toBe("/a\\:b\\,c\\\\d e");
  });
});
