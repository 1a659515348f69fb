import { isRecord } from "../base/is-record.js";
import { type Catalog, catalog, type Form, isList, type SettingName } from "./catalog.js";
import { escapeColons } from "./colons.js";

/** A folder or file of the host that the machine sees; `target` is where (default: the same path). */
export type BindSpec = {
  readonly source: string;
  readonly target?: string;
  readonly options?: string | readonly string[];
  readonly readOnly?: boolean;
};

type BooleanText = "yes" | "no" | "true" | "false" | "on" | "off";
type FormValue<F extends Form> = F extends "flag" | "bool"
  ? boolean | BooleanText
  : F extends "boolValue"
    ? boolean | string | number
    : F extends "value" | "separate" | "rlimit"
      ? string | number
      : string | readonly string[];

type SettingValue<N extends SettingName> = N extends "Environment"
  ? string | readonly string[] | Readonly<Record<string, string | number | boolean>>
  : N extends "Bind" | "BindReadOnly"
    ? string | BindSpec | readonly (string | BindSpec)[]
    : N extends "Port"
      ? string | number | readonly (string | number)[]
      : FormValue<Catalog[N]["form"]>;

/** What WITH takes: settings of systemd.nspawn(5) under their own names; `null` removes what an image has set. */
export type Settings = { readonly [N in SettingName]?: SettingValue<N> | null };

/** A setting in the form that images carry: `Boot` and `yes`. Each item of a list is an entry of its own. */
export type SettingEntry = { readonly name: SettingName; readonly value: string };

const truths = new Map(
  Object.entries({
    yes: "yes",
    y: "yes",
    true: "yes",
    t: "yes",
    on: "yes",
    "1": "yes",
    no: "no",
    n: "no",
    false: "no",
    f: "no",
    off: "no",
    "0": "no",
  }),
);

/**
 * Brings a value as a script wrote it into entries of plain text.
 * @returns the entries, or a text that says what would be right
 */
export function entriesOf(name: SettingName, value: unknown): readonly SettingEntry[] | string {
  const items = itemsOf(name, value);
  if (typeof items === "string") return items;
  const bad = items.find(({ value }) => value.includes("\0"));
  return bad ? "a value without NUL characters" : items;
}

function itemsOf(name: SettingName, value: unknown): readonly SettingEntry[] | string {
  if (name === "Environment" && isRecord(value)) return environmentEntries(value);
  return isList(name) ? listEntries(name, value) : singleEntry(name, value);
}

function listEntries(name: SettingName, value: unknown): readonly SettingEntry[] | string {
  const entries: SettingEntry[] = [];
  for (const item of Array.isArray(value) ? value : splitList(name, value)) {
    const entry = listItem(name, item);
    if (typeof entry === "string") return entry;
    entries.push(entry);
  }
  return entries;
}

function singleEntry(name: SettingName, value: unknown): readonly SettingEntry[] | string {
  const { form, value: looks } = catalog[name];
  if (form === "flag" || form === "bool" || (form === "boolValue" && typeof value === "boolean")) {
    const truth = typeof value === "object" ? undefined : truths.get(String(value).toLowerCase());
    return truth ? [{ name, value: truth }] : `true or false (${looks})`;
  }
  const text = scalar(value);
  return text === undefined ? `a text (${looks})` : [{ name, value: text }];
}

/** Lists that a .nspawn file writes on one line, separated by spaces. */
function splitList(name: SettingName, value: unknown): readonly unknown[] {
  if (typeof value !== "string") return [value];
  const { form } = catalog[name];
  const separator =
    form === "comma"
      ? /[\s,]+/
      : name === "Interface" || name === "MACVLAN" || name === "IPVLAN" || form === "positional"
        ? /\s+/
        : undefined;
  return separator ? value.split(separator).filter((item) => item !== "") : [value];
}

function listItem(name: SettingName, item: unknown): SettingEntry | string {
  const { value: looks } = catalog[name];
  if ((name === "Bind" || name === "BindReadOnly") && isRecord(item)) return bindEntry(name, item);
  const text = scalar(item);
  if (text === undefined) return `a text or a list of texts (${looks})`;
  if (name === "Environment" && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(text)) return "NAME=value";
  return { name, value: text };
}

function environmentEntries(record: Readonly<Record<string, unknown>>): readonly SettingEntry[] | string {
  const entries: SettingEntry[] = [];
  for (const [key, value] of Object.entries(record)) {
    const text = typeof value === "boolean" ? String(value) : scalar(value);
    if (text === undefined) return `a text as the value of ${key}`;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return "names of letters, digits and _";
    entries.push({ name: "Environment", value: `${key}=${text}` });
  }
  return entries;
}

function bindEntry(name: "Bind" | "BindReadOnly", spec: Readonly<Record<string, unknown>>): SettingEntry | string {
  const { source, target, options, readOnly, ...rest } = spec;
  const expected = "{ source, target?, options?, readOnly? } with absolute paths";
  if (typeof source !== "string" || (target !== undefined && typeof target !== "string") || Object.keys(rest).length > 0) return expected;
  if (!source.startsWith("/") && !source.startsWith("+/")) return expected;
  if (target !== undefined && !target.startsWith("/")) return expected;
  const optionText = Array.isArray(options) ? options.join(",") : options;
  if (optionText !== undefined && typeof optionText !== "string") return expected;
  const parts = [source, ...(target !== undefined || optionText ? [target ?? source] : [])].map(escapeColons);
  return { name: readOnly === true ? "BindReadOnly" : name, value: [...parts, ...(optionText ? [optionText] : [])].join(":") };
}

function scalar(value: unknown): string | undefined {
  return typeof value === "string" ? value : Number.isFinite(value) ? String(value) : undefined;
}
