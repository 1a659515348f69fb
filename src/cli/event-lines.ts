import { shortDigest } from "../base/digest.js";
import type { Event, EventOf } from "../base/events.js";
import { printable, printableLines } from "./printable.js";
import { showBytes, showSeconds } from "./quantity.js";
import type { Paint } from "./style.js";

/** What happens, in lines for people. */
export function eventLines(event: Event, paint: Paint): readonly string[] {
  const write = writers[event.kind] as (event: Event, paint: Paint) => readonly string[];
  return write(event, paint);
}

const writers: { readonly [K in Event["kind"]]: (event: EventOf<K>, paint: Paint) => readonly string[] } = {
  begin: ({ text }) => [printable(text)],
  warning: ({ text }, paint) => {
    const [first = "", ...rest] = printableLines(text);
    return [`${paint("yellow", "warning:")} ${first}`, ...rest.map((line) => `  ${line}`)];
  },
  detail: ({ text }) => printableLines(text),
  // A line each would be too much of it.
  transfer: () => [],
  pulled: ({ how, seconds, ...image }) =>
    how === "fetched" ? [`pulled ${imageWords(image)}${time(seconds)}`] : [`have ${imageWords(image)}`],
  "step-begin": ({ text }, paint) => [paint("bold", printable(text))],
  output: ({ line }, paint) => [`  ${paint("dim", "│")} ${printable(line)}`],
  "step-end": ({ cached, seconds }) => [cached ? "  cached" : `  done${time(seconds)}`],
  pushed: ({ seconds, unchanged, ...image }) => [`${unchanged ? "unchanged" : "pushed"} ${imageWords(image)}${time(seconds)}`],
  removed: ({ what, name, bytes }) => [`removed ${what} ${printable(name)}${bytes > 0 ? ` (${showBytes(bytes)})` : ""}`],
  acted: ({ text, seconds }) => [`${printable(text)}${seconds === undefined ? "" : time(seconds)}`],
};

function imageWords({ url, digest, bytes }: { readonly url: string; readonly digest: string; readonly bytes: number }): string {
  return `${printable(url)} ${shortDigest(digest)} ${showBytes(bytes)}`;
}

function time(seconds: number): string {
  return ` (${showSeconds(seconds)})`;
}
