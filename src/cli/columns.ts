/** Columns that a line takes on a terminal; it has no control characters. Rarer scripts may be off by a little. */
export function columnsOf(text: string): number {
  if (isAscii(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmenter().segment(text)) columns += columnsOfGrapheme(segment);
  return columns;
}

/** A line that takes no more than this many columns; a mark stands for what was cut off at its end. */
export function cutToColumns(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  let columns = 0;
  let cut = "";
  for (const { segment } of segmenter().segment(text)) {
    columns += columnsOfGrapheme(segment);
    if (columns > limit - 1) break;
    cut += segment;
  }
  return limit < 1 ? "" : `${cut}…`;
}

/** The same with its start cut off: for texts whose end tells most, such as URLs. */
export function cutStartToColumns(text: string, limit: number): string {
  if (columnsOf(text) <= limit) return text;
  let columns = 0;
  let cut = "";
  for (const { segment } of [...segmenter().segment(text)].reverse()) {
    columns += columnsOfGrapheme(segment);
    if (columns > limit - 1) break;
    cut = segment + cut;
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
  if (isAscii(grapheme)) return 1;
  return invisible.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1;
}

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function segmenter(): Intl.Segmenter {
  return new Intl.Segmenter();
}
