/**
 * Words between white space, with quotes and backslashes as in a unit file (systemd.syntax(7)).
 * @returns undefined if a quote is not closed
 */
export function splitQuoted(text: string): readonly string[] | undefined {
  const { words, isOpen } = scan(text);
  return isOpen ? undefined : words;
}

/** A word as it is written among others. */
export function quoteWord(word: string): string {
  return /^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, "\\$&")}"`;
}

/** What {@link quoteWord} was given. Any other text is one word, too, white space included. */
export function unquoteWord(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, "$1") : text;
}

type Scan = { readonly words: readonly string[]; readonly isOpen: boolean };

function scan(text: string): Scan {
  // Undefined between words: an empty word is one only if it is quoted.
  const words: (string | undefined)[] = [];
  let word: string | undefined;
  let quote = "";
  for (const [token] of text.matchAll(/\\[\s\S]|\s+|["']|[^\\\s"']+|\\$/g)) {
    if (token === quote) quote = "";
    else if (quote === "" && (token === '"' || token === "'")) {
      quote = token;
      word ??= "";
    } else if (quote === "" && /^\s/.test(token)) {
      words.push(word);
      word = undefined;
    } else word = (word ?? "") + token.replace(/^\\(?=[\s\S])/, "");
  }
  return { words: [...words, word].filter((each) => each !== undefined), isOpen: quote !== "" };
}
