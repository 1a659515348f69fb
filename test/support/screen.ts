/** What a terminal shows after it got a text: the few sequences that drawing needs, and an error for any other. */
export function screenOf(text: string, columns: number): readonly string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  const at = (line: number): string[] => {
    while (lines.length <= line) lines.push([]);
    return lines[line] ?? [];
  };
  const moves: Readonly<Record<string, (count: number) => void>> = {
    A: (count) => {
      row = Math.max(0, row - count);
    },
    B: (count) => {
      row += count;
    },
    G: (to) => {
      column = to - 1;
    },
    K: () => at(row).splice(column),
    m: () => undefined,
  };
  for (const [part, parameters = "", letter = ""] of text.matchAll(escapeOrText)) {
    if (part === "\n") row++;
    else if (part === "\r") column = 0;
    else if (part === "\x1b[2K") at(row).splice(0);
    else if (part === "\x1b[?2026h" || part === "\x1b[?2026l") continue;
    else if (letter !== "" && moves[letter]) moves[letter](parameters === "" ? (letter === "K" ? 0 : 1) : Number.parseInt(parameters, 10));
    else if (/\p{Cc}/u.test(part)) throw new Error(`a terminal got ${JSON.stringify(part)}`);
    else {
      if (column >= columns) throw new Error(`a line is wider than ${columns} columns: ${at(row).join("")}`);
      const line = at(row);
      while (line.length < column) line.push(" ");
      line[column++] = part;
    }
  }
  return lines.map((line) => line.join("")).filter((line) => line !== "");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const escapeOrText = /\x1b\[([0-9;?]*)([A-Za-z])|[\s\S]/gu;
