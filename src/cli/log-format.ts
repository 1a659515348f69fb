import { UsageError } from "../base/errors.js";
import type { Level } from "./level.js";

/** Section `[logging]` of the configuration, in the words of Python's logging module. */
export type Logging = { readonly level: string; readonly format: string; readonly datefmt: string };

/** What a line of the log is made from. */
export type LogRecord = { readonly level: Level; readonly message: string; readonly time: Date };

/** The format that changes nothing. */
export const messageOnly = "%(message)s";

/**
 * Reads a format of Python's logging: `%(asctime)s %(levelname)-7s %(message)s`, with flags, width and precision as for printf.
 * @param datefmt a format of strftime for asctime; empty: `2026-11-23 18:27:25,412`, as in Python
 * @throws UsageError that names what is not known
 */
export function logFormat(format: string, datefmt: string): (record: LogRecord) => string {
  const showTime = datefmt === "" ? isoLike : strftime(datefmt);
  const parts = format.split(/(%%|%\([^)]*\)[-0 +#]*\d*(?:\.\d+)?[sd]|%)/);
  const writers = parts.map((part): ((record: LogRecord) => string) => {
    if (part === "%%") return () => "%";
    if (!part.startsWith("%")) return () => part;
    const [, name = "", flags = "", width = "0", precision] = /^%\((.*)\)([-0 +#]*)(\d*)(?:\.(\d+))?[sd]$/.exec(part) ?? [];
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field)
      throw new UsageError(`the log format has ${known(part, name)}`, {
        hint: `known are ${Object.keys(fields).map(written).join(" ")} %%`,
      });
    return (record) => pad(field(record, showTime), flags, Number(width), precision);
  });
  return (record) => writers.map((write) => write(record)).join("");
}

type Field = (record: LogRecord, showTime: (time: Date) => string) => string;

const fields: Readonly<Record<string, Field>> = {
  asctime: ({ time }, showTime) => showTime(time),
  levelname: ({ level }) => level.toUpperCase(),
  levelno: ({ level }) => String({ debug: 10, info: 20, warning: 30, error: 40 }[level]),
  message: ({ message }) => message,
  msecs: ({ time }) => String(time.getMilliseconds()),
  name: () => "nspawn",
  process: () => String(process.pid),
};

function written(name: string): string {
  return `%(${name})s`;
}

function known(part: string, name: string): string {
  return name === "" ? "a % that starts nothing" : `${part}, which is not known`;
}

function pad(text: string, flags: string, width: number, precision: string | undefined): string {
  const cut = precision === undefined ? text : text.slice(0, Number(precision));
  if (flags.includes("-")) return cut.padEnd(width);
  return cut.padStart(width, flags.includes("0") && /^\d+$/.test(cut) ? "0" : " ");
}

function isoLike(time: Date): string {
  return `${strftime("%Y-%m-%d %H:%M:%S")(time)},${digits(time.getMilliseconds(), 3)}`;
}

/**
 * Reads a format of strftime(3), local time, English names.
 * @throws UsageError that names what is not known
 */
export function strftime(format: string): (time: Date) => string {
  const parts = format.split(/(%.?)/s).map((part): ((time: Date) => string) => {
    if (!part.startsWith("%")) return () => part;
    const write = times[part.slice(1)];
    if (!write)
      throw new UsageError(`the time format has ${part}, which is not known`, { hint: `known are %${Object.keys(times).join(" %")}` });
    return write;
  });
  return (time) => parts.map((write) => write(time)).join("");
}

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const times: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => String(time.getFullYear()),
  y: (time) => digits(time.getFullYear() % 100, 2),
  m: (time) => digits(time.getMonth() + 1, 2),
  d: (time) => digits(time.getDate(), 2),
  H: (time) => digits(time.getHours(), 2),
  I: (time) => digits(time.getHours() % 12 || 12, 2),
  M: (time) => digits(time.getMinutes(), 2),
  S: (time) => digits(time.getSeconds(), 2),
  f: (time) => digits(time.getMilliseconds() * 1000, 6),
  p: (time) => (time.getHours() < 12 ? "AM" : "PM"),
  z: (time) => zone(-time.getTimezoneOffset()),
  j: (time) => digits(dayOfYear(time), 3),
  a: (time) => dayName(time).slice(0, 3),
  A: dayName,
  b: (time) => monthName(time).slice(0, 3),
  B: monthName,
  "%": () => "%",
};

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}

/** Minutes east of UTC as `+0130`. */
function zone(minutes: number): string {
  const distance = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${digits(Math.floor(distance / 60), 2)}${digits(distance % 60, 2)}`;
}

function dayOfYear(time: Date): number {
  const day = (date: Date): number => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;
  return day(time) - day(new Date(time.getFullYear(), 0, 1)) + 1;
}

function dayName(time: Date): string {
  return days[time.getDay()] ?? "";
}

function monthName(time: Date): string {
  return months[time.getMonth()] ?? "";
}
