/** A command as one line that can be pasted into a shell. */
export function shellQuote(argv: readonly string[]): string {
  return argv
    .map((argument) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
