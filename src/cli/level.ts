import type { Event } from "../base/events.js";

/** How much is told, from least to most, under the names that Python's logging has for it: `--quiet` is warning, `--verbose` is debug. */
const levels = ["error", "warning", "info", "debug"] as const;
export type Level = (typeof levels)[number];

/** The level that the options of a command ask for, or else the one of the configuration (`logging/level`), in upper or lower case. */
export function chooseLevel(options: { readonly quiet?: boolean; readonly verbose?: boolean }, configured = "info"): Level {
  if (options.quiet) return "warning";
  if (options.verbose) return "debug";
  const name = configured.toLowerCase();
  return levels.find((level) => level === name) ?? "info";
}

/** How important an event is. */
export function levelOf(event: Event): Level {
  return event.kind === "warning" ? "warning" : event.kind === "detail" ? "debug" : "info";
}

/** Whether what has the level `of` is told at this level. */
export function tells(level: Level, of: Level): boolean {
  return levels.indexOf(of) <= levels.indexOf(level);
}
