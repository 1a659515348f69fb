import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIni } from "../../src/config/parse.js";

/** Entries as `section/key=value`, without their lines. */
const said = (text: string): readonly string[] => parseIni(text).entries.map(({ section, key, text }) => `${section}/${key}=${text}`);

describe("parseIni", () => {
  test("sections, keys, values over several lines, comments in all places, with the line of each key", () => {
    const text = [
      "# head",
      "[storage]",
      "; a comment",
      "root=/srv/nspawn",
      "",
      "[auth/images.example.org]",
      "type = basic",
      "password = a = b # no comment",
      "[build]",
      "shell_invoke =",
      "  /bin/sh",
      "  # in between",
      "# at the margin",
      "",
      "\t-c",
      "preserve_build_dir = yes",
    ].join("\n");
    expect(parseIni(text)).toEqual({
      entries: [
        { section: "storage", key: "root", text: "/srv/nspawn", line: 4 },
        { section: "auth/images.example.org", key: "type", text: "basic", line: 7 },
        { section: "auth/images.example.org", key: "password", text: "a = b # no comment", line: 8 },
        { section: "build", key: "shell_invoke", text: "/bin/sh\n-c", line: 10 },
        { section: "build", key: "preserve_build_dir", text: "yes", line: 16 },
      ],
      sections: [
        { name: "storage", line: 2 },
        { name: "auth/images.example.org", line: 6 },
        { name: "build", line: 9 },
      ],
      problems: [],
    });
  });

  test("keys that are indented alike are keys of their own, and go on where a line is deeper", () => {
    expect(said("[a]\n  x = 1\n    2\n  y = 3")).toEqual(["a/x=1\n2", "a/y=3"]);
  });

  test("a value may be empty, or look like a section or a key on its further lines", () => {
    expect(said("[a]\nx =\ny = z\n  [b]\n  c = d")).toEqual(["a/x=", "a/y=z\n[b]\nc = d"]);
  });

  test("line ends of Windows and a byte order mark change nothing", () => {
    expect(said("\ufeff[a]\r\nx = 1\r\n  2\r\n")).toEqual(["a/x=1\n2"]);
  });

  test.each([
    ["root = /srv", 1, "the key root stands before any [section]"],
    ["[a]\nnonsense", 2, '"nonsense" is neither [section] nor key = value'],
    ["[a]\n= 1", 2, '"= 1" is neither [section] nor key = value'],
    ["[a\nx = 1", 1, '"[a" is neither [section] nor key = value'],
    ["[]", 1, '"[]" is neither [section] nor key = value'],
  ])("%j has a problem in line %i", (text, line, message) => {
    expect(parseIni(text).problems[0]).toEqual({ line, message });
  });

  test("whatever is written is read back", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,8}(\/[a-z0-9.-]{1,8})?$/);
    const item = fc
      .string({ unit: "binary", minLength: 1, maxLength: 20 })
      .map((text) => text.replace(/[\r\n]/g, "").trim())
      .filter((text) => text !== "" && !/^[#;]/.test(text));
    const value = fc.record({
      first: fc.option(item),
      rest: fc.array(item, { maxLength: 4 }),
      noise: fc.constantFrom("", "\n", "\n  # x", "\n;y\n\n"),
    });
    const document = fc.array(fc.tuple(name, fc.array(fc.tuple(name, value), { maxLength: 4 })), { maxLength: 5 });
    fc.assert(
      fc.property(document, (sections) => {
        const text = sections
          .map(([section, keys]) =>
            [
              `[${section}]`,
              ...keys.map(([key, { first, rest, noise }]) =>
                [`${key} = ${first ?? ""}`, ...rest.map((line) => `${noise}\n  ${line}`)].join(""),
              ),
            ].join("\n"),
          )
          .join("\n");
        expect(parseIni(text).problems).toEqual([]);
        expect(parseIni(text).entries.map(({ section, key, text }) => ({ section, key, text }))).toEqual(
          sections.flatMap(([section, keys]) =>
            keys.map(([key, { first, rest }]) => ({ section, key, text: [first ?? "", ...rest].filter((line) => line !== "").join("\n") })),
          ),
        );
      }),
    );
  });

  test("no text makes it fail, and every line number is one of the text", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("[a]", "[", "x = 1", " y", "#", "=", "", "\t[b]", "z=")), (lines) => {
        const { entries, sections, problems } = parseIni(lines.join("\n"));
        for (const { line } of [...entries, ...sections, ...problems]) expect(lines[line - 1]).toBeDefined();
      }),
    );
  });
});
