import { resolve } from "node:path";
import type { KeySchema, Kinds } from "./schema.js";

/** A value that was read, or what is wrong with it: a text that goes on after "KEY ". */
export type Reading<T> = { readonly value: T } | { readonly wrong: string };

type Readers = { readonly [K in keyof Kinds]: (text: string, key: KeySchema) => Reading<Kinds[K]> };

/** Reads a value as its key wants it. Values of secret keys are in no message. */
export function readValue(key: KeySchema, text: string): Reading<unknown> {
  return readers[key.kind](text, key);
}

const readers: Readers = {
  boolean: (text) => {
    const value = booleans.get(text.toLowerCase());
    return value === undefined ? wrong(`is yes or no, not ${quoted(text)}`) : { value };
  },
  text: (text, key) => readPattern(text, key),
  choice: (text, key) => readChoice(text, key),
  choices: (text, key) => each(items(text), (item) => readChoice(item, key)),
  seconds: (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
    return value > 0 && value <= maxSeconds
      ? { value }
      : wrong(`is a number of seconds, more than 0 and at most ${maxSeconds}, not ${quoted(text)}`);
  },
  pause: (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : -1;
    return value >= 0 && value <= maxSeconds ? { value } : wrong(`is a number of seconds, at most ${maxSeconds}, not ${quoted(text)}`);
  },
  count: (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    return value > 0 && value <= maxCount ? { value } : wrong(`is a whole number from 1 to ${maxCount}, not ${quoted(text)}`);
  },
  amount: (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    return value >= 0 && value <= maxCount ? { value } : wrong(`is a whole number from 0 to ${maxCount}, not ${quoted(text)}`);
  },
  quantity: (text) => quantity(text, 1),
  allowance: (text) => quantity(text, 0),
  path: (text) => {
    if (/^~/.test(text)) return wrong(`is a path without a shell's ~: $HOME is the home folder; not ${quoted(text)}`);
    if (/^(["']).*\1$/.test(text)) return wrong(`is a path without quotes, not ${text}`);
    return /^[^\0\n]+$/.test(text) ? { value: resolve(text) } : wrong(`is a path, not ${quoted(text)}`);
  },
  optionalPath: (text, key) => (text === "" ? { value: undefined } : readers.path(text, key)),
  port: (text) => {
    if (text === "") return { value: undefined };
    const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    return value > 0 && value < 65536 ? { value } : wrong(`is a port from 1 to 65535, not ${quoted(text)}`);
  },
  list: (text, key) => each(items(text), (item) => readPattern(item, key)),
  argv: (text) => (items(text).length > 0 ? { value: items(text) } : wrong("is a program and its arguments, one a line; there is none")),
  webUrls: (text) =>
    each(items(text), (item) => (isWebUrl(item) ? { value: item } : wrong(`is a list of http: or https: URLs; ${quoted(item)} is none`))),
  urlPrefixes: (text) => each(items(text), readUrlPrefix),
  mountOptions: (text) => {
    const options = each(
      items(text).flatMap((item) => item.split(",")),
      readMountOption,
    );
    return "value" in options ? { value: options.value.filter((option) => !always.has(option)) } : options;
  },
  proxyVariables: (text) => {
    const lines = each(items(text), readProxyLine);
    return "value" in lines ? { value: Object.fromEntries(lines.value) } : lines;
  },
};

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["yes", "true", "on", "1"].map((word) => [word, true] as const),
  ...["no", "false", "off", "0"].map((word) => [word, false] as const),
]);

/** Timers of Node end at 2³¹ ms; a day is more than anybody waits for a network. */
const maxSeconds = 86_400;

const maxCount = 1000;

/** Mount options that hold anyway, see layer/overlay.ts and machine/unit.ts. */
const always: ReadonlySet<string> = new Set(["index=off", "metacopy=off", "redirect_dir=off", "nodev"]);

/** Mount options that would replace the layers, store positions of other layers in them, or hide what is deleted in them. */
const breaking: ReadonlySet<string> = new Set([
  "lowerdir",
  "lowerdir+",
  "datadir+",
  "upperdir",
  "workdir",
  "index",
  "metacopy",
  "redirect_dir",
  "nfs_export",
  "userxattr",
  "verity",
  "volatile",
  "override_creds",
  "dev",
  "ro",
  "remount",
  "bind",
]);

function readMountOption(option: string): Reading<string> {
  if (!/^[\w+.-]+(=[\w./:@+-]*)?$/.test(option)) return wrong(`is a list of mount options; ${quoted(option)} is none`);
  if (always.has(option) || !breaking.has(option.replace(/=.*/, ""))) return { value: option };
  return wrong(`cannot have ${quoted(option)}: it would break the layers of machines`);
}

/** A prefix that ends within a host's name would also trust the hosts of others: `https://example.org` begins `https://example.org.evil.example/`. */
function readUrlPrefix(item: string): Reading<string> {
  if (/^(file|https?):$/.test(item) || /^(file:\/|https?:\/\/[^/\s]+\/)/.test(item)) return { value: item };
  return wrong(`is a list of URLs or their beginnings, with a / after the host; ${quoted(item)} is none`);
}

/** The text of a proxy may hold a password, so it is in no message. */
function readProxyLine(item: string): Reading<readonly [string, string]> {
  const [, name, value = ""] = /^(http_proxy|https_proxy|no_proxy)\s*=\s*(\S.*)$/.exec(item) ?? [];
  if (name === undefined) return wrong("is lines of http_proxy = URL, https_proxy = URL, no_proxy = HOST,HOST; one of them is none");
  if (name === "no_proxy" || proxyUrl(value)) return { value: [name, value] };
  return wrong(`has a ${name} that is no http: or https: URL`);
}

/** The URL of a proxy as it is found in an environment, where `http://` is often left out; undefined if it is none. */
export function proxyUrl(text: string): URL | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  return isWebUrl(url) ? new URL(url) : undefined;
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function readChoice(text: string, { choices = [], aliases = {} }: KeySchema): Reading<string> {
  const word = text.toLowerCase();
  const value = choices.find((choice) => choice === word) ?? (Object.hasOwn(aliases, word) ? aliases[word] : undefined);
  return value === undefined ? wrong(`is one of ${choices.join(", ")}, not ${quoted(text)}`) : { value };
}

function readPattern(text: string, { pattern, expects = "", secret }: KeySchema): Reading<string> {
  if (!pattern || pattern.test(text)) return { value: text };
  return wrong(`is ${expects}${secret ? "" : `, not ${quoted(text)}`}`);
}

function each<T, R>(list: readonly T[], read: (item: T) => Reading<R>): Reading<readonly R[]> {
  const values: R[] = [];
  for (const item of list) {
    const reading = read(item);
    if ("wrong" in reading) return reading;
    values.push(reading.value);
  }
  return { value: values };
}

function items(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function wrong(text: string): { readonly wrong: string } {
  return { wrong: text };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function quantity(text: string, least: number) {
  const [, digits = "-1", unit = ""] = /^(\d{1,15}) ?([KMGT]?)$/i.exec(text) ?? [];
  const value = Number(digits) * 1024 ** ["", "K", "M", "G", "T"].indexOf(unit.toUpperCase());
  return value >= least && Number.isSafeInteger(value)
    ? { value }
    : wrong(`is a whole number, or one with K, M, G or T, not ${quoted(text)}`);
}
