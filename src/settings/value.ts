import { isPlainObject, isRecord } from "../base/is-record.js";
import { catalog, isList, isSettingName, type SettingName, writableName } from "./catalog.js";
import { WrongValue } from "./kinds/kind.js";

export { WrongValue } from "./kinds/kind.js";
export type { BindSpec, OverlaySpec, TemporaryFileSystemSpec } from "./kinds/mount.js";
export type { Settings } from "./settings.js";

/** A setting in the form that images carry: `Boot` and `yes`. Each item of a list is an entry of its own. */
export type SettingEntry = { readonly name: SettingName; readonly value: string };

/** What a value comes to: its entries, and its items that are wrong: all of them, as far as anybody would read them. */
export type SettingReading = { readonly entries: readonly SettingEntry[]; readonly wrong: readonly WrongValue[] };

/** Brings a value, as a script or an image wrote it, into entries of plain text, in the spelling that systemd-nspawn takes. */
export function entriesOf(name: SettingName, value: unknown): SettingReading {
  const { kind } = catalog[name];
  if (kind.fields && isPlainObject(value)) {
    const { read } = kind.fields;
    return collect(Object.entries(value), ([key, field]) => entry(name, read(key, field)));
  }
  const items = isList(name) ? itemsOf(name, value) : [value];
  if (!items) return { entries: [], wrong: [new WrongValue(kind.expected, value, "a quote is not closed")] };
  return collect(items, (item) => itemEntry(name, item));
}

/** The values of a list; undefined for a text that cannot be taken apart. */
function itemsOf(name: SettingName, value: unknown): readonly unknown[] | undefined {
  const { split } = catalog[name].kind;
  // Array.from: a hole in an array is a value, too, and wrong.
  if (Array.isArray(value)) return Array.from(value);
  return typeof value === "string" && split ? split(value) : [value];
}

/** `{ …, readOnly: true }` belongs to another setting, and `{ …, readOnly: false }` not to one that is read-only. */
function itemEntry(name: SettingName, item: unknown): SettingEntry | WrongValue {
  const { kind, readOnlyName } = catalog[name];
  const text = kind.read(item);
  const readOnly = isRecord(item) ? item.readOnly : undefined;
  const writable = writableName(name);
  if (typeof text === "string" && writable !== undefined && readOnly === false) {
    return new WrongValue("what is mounted read-only", item, `${writable} takes what can be written to`);
  }
  return entry(readOnly === true && readOnlyName !== undefined && isSettingName(readOnlyName) ? readOnlyName : name, text);
}

function entry(name: SettingName, text: string | WrongValue): SettingEntry | WrongValue {
  return typeof text === "string" ? { name, value: text } : text;
}

/** Of an image, one text may have a million items: nobody reads more mistakes than that. */
const mostWrong = 100;

function collect<T>(items: readonly T[], read: (item: T) => SettingEntry | WrongValue): SettingReading {
  const entries: SettingEntry[] = [];
  const wrong: WrongValue[] = [];
  for (const item of items) {
    if (wrong.length === mostWrong) break;
    const result = read(item);
    if (result instanceof WrongValue) wrong.push(result);
    else entries.push(result);
  }
  return { entries, wrong };
}
