import { toolError } from "./tool-error.js";

/** The day that images are named after: see `Tool.buildEpoch`. */
export function buildEpoch(instant: Date = new Date(), day = 1): Date {
  const given = process.env.NSPAWN_BUILD_EPOCH;
  if (given) return readEpoch(given);
  // Every month has the days up to the 28th.
  if (!Number.isInteger(day) || day < 1 || day > 28)
    throw toolError("buildEpoch", `expected a day from 1 to 28, not ${JSON.stringify(day)}`);
  const epoch = new Date(valid("buildEpoch", instant));
  epoch.setUTCDate(day);
  epoch.setUTCHours(0, 0, 0, 0);
  return epoch;
}

/** `20261123-230003-123456`: see `Tool.buildStamp`. */
export function buildStamp(instant?: Date): string {
  // Date counts milliseconds; the clock of performance knows what lies between.
  const now = performance.timeOrigin + performance.now();
  const time = instant === undefined ? new Date(now) : valid("buildStamp", instant);
  const micros = time.getUTCMilliseconds() * 1000 + (instant === undefined ? Math.floor((now % 1) * 1000) : 0);
  return `${dateOf(time, "")}-${timeOf(time)}-${pad(micros, 6)}`;
}

/** `20261123T230003` */
export function dateTimeIso(date: Date = buildEpoch()): string {
  return `${dateOf(valid("dateTimeIso", date), "")}T${timeOf(date)}`;
}

/** `2026/11/23` */
export function datePath(date: Date = buildEpoch()): string {
  return dateOf(valid("datePath", date), "/");
}

/** `2026-11-23` */
export function dateDash(date: Date = buildEpoch()): string {
  return dateOf(valid("dateDash", date), "-");
}

/** `2026.11.23` */
export function dateDots(date: Date = buildEpoch()): string {
  return dateOf(valid("dateDots", date), ".");
}

function dateOf(date: Date, separator: string): string {
  return [pad(date.getUTCFullYear(), 4), pad(date.getUTCMonth() + 1, 2), pad(date.getUTCDate(), 2)].join(separator);
}

function timeOf(date: Date): string {
  return `${pad(date.getUTCHours(), 2)}${pad(date.getUTCMinutes(), 2)}${pad(date.getUTCSeconds(), 2)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

/** A real date of our era: others have no such names. */
function valid(name: string, date: unknown): Date {
  if (date instanceof Date && date.getUTCFullYear() >= 0) return date;
  throw toolError(name, `expected a Date, not ${date instanceof Date ? String(date) : JSON.stringify(date)}`);
}

/** `YYYY-MM-DD`, a date and time of ISO 8601 (in UTC, unless it names its zone), or seconds since 1970. */
function readEpoch(text: string): Date {
  const date = /^\d+$/.test(text) ? new Date(Number(text) * 1000) : readIso(text);
  if (date && date.getUTCFullYear() >= 0) return date;
  throw toolError(
    "buildEpoch",
    `the environment variable NSPAWN_BUILD_EPOCH is ${JSON.stringify(text)}`,
    "it takes a date such as 2026-11-23, with a time such as 2026-11-23T23:00:03Z, or the seconds since 1970",
  );
}

function readIso(text: string): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (!match) return undefined;
  const [, day = "", time = "00:00", zone = "Z"] = match;
  // Date takes the 30th of February for the 2nd of March.
  const isDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day);
  return isDay ? new Date(`${day}T${time}${zone.replace(/(\d\d)(\d\d)$/, "$1:$2")}`) : undefined;
}
