import fc from "fast-check";

/** Any text that Linux takes as an argument: all of Unicode but NUL, no halves of surrogate pairs; often characters that mean something. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom(
        "\\",
        '"',
        "'",
        "%",
        "$",
        "\n",
        "\r",
        "\t",
        " ",
        ";",
        "#",
        "${A}",
        "$A",
        "%i",
        "\\\n",
        "\x7f",
        "\u0085",
        "\u2028",
        "\ufeff",
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join("").replaceAll("\0", ""));

/** Any text that a unit can hold: systemd takes no noncharacters, such as U+FFFE. */
export const unitText = anyText.map((text) => text.replace(/\p{Noncharacter_Code_Point}/gu, ""));
