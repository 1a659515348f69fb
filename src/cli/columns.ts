/** Columns that a line takes on a terminal; it has no control characters. Rarer scripts may be off by a little. */
export function columnsOf(text: string): number {
  if (isPlain(text)) return text.length;
  let columns = 0;
  for (const grapheme of graphemesOf(text)) columns += columnsOfGrapheme(grapheme);
  return columns;
}

/** A line that takes no more than this many columns; a mark stands for what was cut off at its end. */
export function cutToColumns(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  let columns = 0;
  let cut = "";
  for (const grapheme of graphemesOf(text)) {
    columns += columnsOfGrapheme(grapheme);
    if (columns > limit - 1) break;
    cut += grapheme;
  }
  return limit < 1 ? "" : `${cut}…`;
}

/** The same with its start cut off: for texts whose end tells most, such as URLs. */
export function cutStartToColumns(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  let columns = 0;
  let cut = "";
  for (const grapheme of [...graphemesOf(text)].reverse()) {
    columns += columnsOfGrapheme(grapheme);
    if (columns > limit - 1) break;
    cut = grapheme + cut;
  }
  return limit < 1 ? "" : `…${cut}`;
}

/** The same with its middle cut out: of a URL, the host's start and the file's name stay. */
export function cutMiddleToColumns(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  if (limit < 3) return cutToColumns(text, limit);
  const end = cutStartToColumns(text, Math.ceil(limit / 2));
  return `${cutToColumns(text, limit - columnsOf(end) + 1).slice(0, -1)}${end}`;
}

/** East Asian wide characters (Unicode UAX #11, in blocks), and what is shown as a picture. */
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Regional_Indicator}{2}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;

function columnsOfGrapheme(grapheme: string): number {
  if (isPlain(grapheme)) return 1;
  return invisible.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1;
}

/** Whether each character takes one column, and none belongs to the one before: ASCII, Latin letters, and what our own lines are drawn with. */
function isPlain(text: string): boolean {
  return /^[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2190-\u2193\u2500-\u257f\u2713\u2717\u2800-\u28ff]*$/.test(text);
}

/** What is one character to the reader. To ask for that takes 10 ms at the first time, for which our own lines are not a reason. */
function graphemesOf(text: string): Iterable<string> {
  return isPlain(text) ? text : Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}
