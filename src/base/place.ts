import { fileURLToPath } from "node:url";
import { sourcePlace } from "./source-places.js";

/** A line of a script: absolute path, line from 1. */
export type Place = { readonly file: string; readonly line: number };

/** `file:line`, with the file as given. */
export function showPlace(place: Place): string {
  return `${place.file}:${place.line}`;
}

/** The nearest frame of the call stack that `accept` takes, in the lines of the source as written. */
export function callerPlace(accept: (file: string) => boolean): Place | undefined {
  return placeInFrames(callSites(callerPlace), accept);
}

/** The place an error was thrown at: its nearest frame that `accept` takes. */
export function placeOfError(error: Error, accept: (file: string) => boolean): Place | undefined {
  // The stack of an error that was thrown elsewhere is text by now; source maps are already applied to it.
  for (const line of (error.stack ?? "").split("\n")) {
    const match = /(?:\(|at )((?:file:\/\/|\/).+?):(\d+):\d+\)?$/.exec(line);
    if (!match?.[1]) continue;
    const file = toPath(match[1]);
    if (accept(file)) return { file, line: Number(match[2]) };
  }
  return undefined;
}

function placeInFrames(sites: readonly NodeJS.CallSite[], accept: (file: string) => boolean): Place | undefined {
  for (const site of sites) {
    const name = site.getFileName();
    const line = site.getLineNumber();
    if (!name || line === null) continue;
    const file = toPath(name);
    if (!accept(file)) continue;
    // Scripts are compiled on load: the source map leads back to the line that the user wrote.
    return { file, line: sourcePlace(name, line, site.getColumnNumber() ?? 1).line };
  }
  return undefined;
}

function callSites(above: (...args: never[]) => unknown): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 100;
    Error.prepareStackTrace = (_error, sites) => sites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    return Array.isArray(holder.stack) ? holder.stack : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function toPath(name: string): string {
  return name.startsWith("file:") ? fileURLToPath(name.replace(/[?#].*$/, "")) : name;
}
