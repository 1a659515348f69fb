/** A command as text that can be pasted into a shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv
    .map((word, index) => (isPlain(word) && !(index === 0 && word.includes("=")) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

/** Text on one line: control characters, line breaks among them, are escaped as in JSON. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

/** A first word with a `=` would be a variable, so that one is quoted too. */
function isPlain(word: string): boolean {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word);
}
