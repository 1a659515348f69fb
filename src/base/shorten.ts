import { oneLine } from "./shell-quote.js";

/** A text for a message, on one line: of a long one its start, and how long it is. */
export function shorten(text: string, most = 100): string {
  return oneLine(text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`);
}
