/**
 * Reads a command line of a unit the way systemd does, written from systemd.service(5) "Command lines", systemd.syntax(7)
 * "Quoting" and systemd.unit(5) "Specifiers", independently of the code under test. Anything that systemd would change or
 * refuse is an error here.
 */
export function systemdWords(line: string): readonly string[] {
  if (/[\n\r\0]/.test(line)) throw new Error("a line of a unit ends at a line break");
  const words: string[] = [];
  let rest = line;
  for (;;) {
    rest = rest.replace(/^[ \t]+/, "");
    if (rest === "") break;
    if (/^;(\s|$)/.test(rest)) throw new Error("an unquoted ; parts commands");
    const { word, after } = firstWord(rest);
    words.push(word);
    rest = after;
  }
  return words.map(withoutSpecifiers).map(withoutVariables);
}

/** Joins the lines of a directive that end in a backslash; comment lines between them are left out. */
export function logicalLines(unit: string): readonly string[] {
  const result: string[] = [];
  let open = false;
  for (const line of unit.split("\n")) {
    if (/^\s*[#;]/.test(line)) {
      if (!open) result.push(line);
      continue;
    }
    const continued = line.endsWith("\\");
    const text = continued ? `${line.slice(0, -1)} ` : line;
    if (open) result.push(`${result.pop() ?? ""}${text}`);
    else result.push(text);
    open = continued;
  }
  return result;
}

const named: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

function firstWord(text: string): { readonly word: string; readonly after: string } {
  const bytes: number[] = [];
  const push = (part: string): void => void bytes.push(...Buffer.from(part));
  let quote = "";
  let at = 0;
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (quote === "" && (char === " " || char === "\t")) break;
    if (char === "\\") {
      const { take, length } = readEscape(text.slice(at + 1));
      take(bytes);
      at += 1 + length;
    } else {
      if (quote === "" && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = "";
      else push(char);
      at += char.length;
    }
  }
  if (quote !== "") throw new Error("a quote is not closed");
  const buffer = Buffer.from(bytes);
  if (!Buffer.from(buffer.toString()).equals(buffer)) throw new Error("a word is no UTF-8");
  return { word: buffer.toString(), after: text.slice(at) };
}

function readEscape(text: string): { readonly take: (bytes: number[]) => void; readonly length: number } {
  const [first = ""] = text;
  const letter = named[first];
  if (letter !== undefined) return { take: (bytes) => void bytes.push(...Buffer.from(letter)), length: 1 };
  const byte = /^x([0-9a-fA-F]{2})/.exec(text) ?? /^([0-3][0-7]{2})/.exec(text);
  if (byte?.[1]) {
    const value = Number.parseInt(byte[1], first === "x" ? 16 : 8);
    if (value === 0) throw new Error("an escape for NUL");
    return { take: (bytes) => void bytes.push(value), length: byte[0].length };
  }
  const point = /^u([0-9a-fA-F]{4})/.exec(text) ?? /^U([0-9a-fA-F]{8})/.exec(text);
  if (point?.[1]) {
    const char = String.fromCodePoint(Number.parseInt(point[1], 16));
    return { take: (bytes) => void bytes.push(...Buffer.from(char)), length: point[0].length };
  }
  throw new Error(`an unknown escape: \\${first}`);
}

function withoutSpecifiers(word: string): string {
  return word.replace(/%(.?)/gsu, (_, next: string) => {
    if (next !== "%") throw new Error(`a specifier: %${next}`);
    return "%";
  });
}

function withoutVariables(word: string): string {
  return word.replace(/\$(.?)/gsu, (_, next: string) => {
    if (next !== "$") throw new Error(`a variable or a single dollar: $${next}`);
    return "$";
  });
}
