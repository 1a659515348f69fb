/** The part that a 206 answer has: its first and last byte, and the length of the whole, as far as it is known. */
export type ContentRange = { readonly first: number; readonly last: number; readonly total: number | undefined };

/** Reads a header Content-Range (RFC 9110, 14.4), such as `bytes 200-999/1000`; undefined if it is none or contradicts itself. */
export function contentRange(text: string | undefined): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(text ?? "") ?? [];
  if (first === undefined || last === undefined) return undefined;
  const range = { first: Number(first), last: Number(last), total: total === "*" ? undefined : Number(total) };
  return range.first <= range.last && (range.total === undefined || range.last < range.total) ? range : undefined;
}

/** The length of the whole that a 416 answer names, as `bytes *\/1000`. */
export function unsatisfiedLength(text: string | undefined): number | undefined {
  const [, total] = /^bytes \*\/(\d{1,15})$/i.exec(text ?? "") ?? [];
  return total === undefined ? undefined : Number(total);
}
