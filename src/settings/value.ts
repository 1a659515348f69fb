import { isRecord } from "../base/is-record.js";
import { catalog, isList, isSettingName, type SettingName } from "./catalog.js";
import { WrongValue } from "./kinds/kind.js";

export { WrongValue } from "./kinds/kind.js";
export type { BindSpec, OverlaySpec, TemporaryFileSystemSpec } from "./kinds/mount.js";
export type { Settings } from "./settings.js";

/** A setting in the form that images carry: `Boot` and `yes`. Each item of a list is an entry of its own. */
export type SettingEntry = { readonly name: SettingName; readonly value: string };

/** Brings a value, as a script or an image wrote it, into entries of plain text, in the spelling that systemd-nspawn takes. */
export function entriesOf(name: SettingName, value: unknown): readonly SettingEntry[] | WrongValue {
  const { kind } = catalog[name];
  if (kind.fields && isPlainObject(value)) {
    const { read } = kind.fields;
    return collect(Object.entries(value), ([key, field]) => entry(name, read(key, field)));
  }
  const items = isList(name) ? itemsOf(name, value) : [value];
  if (!items) return new WrongValue(kind.expected, value, "a quote is not closed");
  return collect(items, (item) => entry(nameFor(name, item), kind.read(item)));
}

/** Not a Map or a Date, say, which has no fields of its own: that would be nothing instead of wrong. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && [null, Object.prototype].includes(Object.getPrototypeOf(value));
}

/** The values of a list; undefined for a text that cannot be taken apart. */
function itemsOf(name: SettingName, value: unknown): readonly unknown[] | undefined {
  const { split } = catalog[name].kind;
  // Array.from: a hole in an array is a value, too, and wrong.
  if (Array.isArray(value)) return Array.from(value);
  return typeof value === "string" && split ? split(value) : [value];
}

/** `{ …, readOnly: true }` belongs to another setting. */
function nameFor(name: SettingName, item: unknown): SettingName {
  const { readOnlyName } = catalog[name];
  return readOnlyName !== undefined && isSettingName(readOnlyName) && isRecord(item) && item.readOnly === true ? readOnlyName : name;
}

function entry(name: SettingName, text: string | WrongValue): SettingEntry | WrongValue {
  return typeof text === "string" ? { name, value: text } : text;
}

function collect<T>(items: readonly T[], read: (item: T) => SettingEntry | WrongValue): readonly SettingEntry[] | WrongValue {
  const entries: SettingEntry[] = [];
  for (const item of items) {
    const entry = read(item);
    if (entry instanceof WrongValue) return entry;
    entries.push(entry);
  }
  return entries;
}
