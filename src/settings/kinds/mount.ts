import { isRecord } from "../../base/is-record.js";
import { didYouMean } from "../../base/nearest.js";
import { escapeColons, splitColons } from "../colons.js";
import { type Kind, scalarText, WrongValue } from "./kind.js";

/** A folder or file of the host that the machine sees; `target` is where (default: the same path). */
export type BindSpec = {
  /** An absolute path on the host; with a `+` before it, in the image. Empty: a new folder that is removed when the machine stops. */
  readonly source: string;
  readonly target?: string;
  readonly options?: string | readonly string[];
  readonly readOnly?: boolean;
};

/** A file system in memory; `options` are those of tmpfs(5), such as `size=100M`. */
export type TemporaryFileSystemSpec = {
  readonly path: string;
  readonly options?: string | readonly string[];
};

/** Folders of the host on top of each other, the last of `lower` above the others, and `upper`, which is written to, above all. */
export type OverlaySpec = {
  readonly lower: string | readonly string[];
  /** Without it, a new folder that is removed when the machine stops. */
  readonly upper?: string;
  readonly target: string;
  readonly readOnly?: boolean;
};

/** What a read-only setting takes: there is nothing to choose. */
export type ReadOnly<Spec> = Spec & { readonly readOnly?: true };

/** Options of bind mounts, with the version of systemd that brought each. */
const bindOptions: Readonly<Record<string, number>> = { rbind: 0, norbind: 0, idmap: 249, noidmap: 249, rootidmap: 250, owneridmap: 256 };

/** Bind and BindReadOnly: bind_mount_parse in systemd's nspawn/nspawn-mount.c. */
export const bind: Kind = mount({
  expected: "SOURCE[:TARGET[:OPTIONS]] or { source, target?, options?, readOnly? }, with absolute paths",
  type: "string | BindSpec",
  example: { source: "/srv/web/", target: "/srv/web" },
  spec: {
    fields: { source: "text", target: "text?", options: "texts?", readOnly: "boolean?" },
    write: ({ source: [source = ""] = [], target = [], options = [] }) =>
      colons([source, ...(target.length === 0 && options.join("") !== "" ? [targetOfSource(source)] : target)], options),
  },
  wrong: (text) => {
    const [source = "", target = targetOfSource(source)] = splitColons(text);
    if (!isSource(source) && source !== "") return { given: source, hint: absoluteHint(source) };
    if (!isAbsolute(target)) return { given: target || text, hint: absoluteHint(target) };
    const unknown = bindOptionsOf(text).find((option) => !Object.hasOwn(bindOptions, option));
    if (unknown === undefined) return undefined;
    const options = Object.keys(bindOptions);
    // As other tools write it.
    if (unknown === "ro") return { given: unknown, hint: `BindReadOnly: ${JSON.stringify(text.replace(/:ro$/, ""))} is read-only` };
    return { given: unknown, expected: `as options of a bind mount ${options.join(", ")}`, hint: didYouMean(unknown, options) };
  },
  target: (text) => {
    const [source = "", target = targetOfSource(source)] = splitColons(text);
    return target;
  },
  since: (text) => Math.max(0, ...bindOptionsOf(text).map((option) => bindOptions[option] ?? 0)),
});

function absoluteHint(path: string): string | undefined {
  if (path.startsWith("~")) return "a shell's ~ is not known here: write the folder, as join(homedir(), …) of Node does";
  return /^[\w.-]/.test(path) ? `write ${JSON.stringify(`/${path}`)}` : undefined;
}

/** tmpfs_mount_parse, same file. */
export const temporaryFileSystem: Kind = mount({
  expected: "PATH[:OPTIONS] or { path, options? }, with an absolute path",
  type: "string | TemporaryFileSystemSpec",
  example: { path: "/var/cache", options: "size=100M" },
  spec: {
    fields: { path: "text", options: "texts?" },
    write: ({ path = [], options }) => colons(path, options),
  },
  wrong: (text) => (isAbsolute(splitColons(text)[0] ?? "") ? undefined : { given: text }),
  target: (text) => splitColons(text)[0] ?? "",
});

/** Overlay and OverlayReadOnly: overlay_mount_parse, same file. */
export const overlay: Kind = mount({
  expected: "LOWER[:LOWER…]:UPPER:TARGET or { lower, upper?, target, readOnly? }, with absolute paths",
  type: "string | OverlaySpec",
  example: { lower: ["/srv/base", "/srv/more"], upper: "/srv/own", target: "/srv/all" },
  spec: {
    fields: { lower: "texts", upper: "text?", target: "text", readOnly: "boolean?" },
    write: ({ lower = [], upper: [upper = ""] = [], target = [] }) => colons([...lower, upper, ...target]),
  },
  wrong: (text) => {
    const parts = splitColons(text);
    // Two parts are LOWER:UPPER, mounted where UPPER is. Of more, UPPER may be empty.
    const isEmptyUpper = parts.length > 2 && parts.at(-2) === "";
    const sources = parts.length > 2 ? parts.slice(0, isEmptyUpper ? -2 : -1) : parts;
    const bad = sources.find((path) => !isSource(path));
    return parts.length >= 2 && bad === undefined && isAbsolute(targetOfSource(parts.at(-1) ?? "")) ? undefined : { given: bad || text };
  },
  target: (text) => targetOfSource(splitColons(text).at(-1) ?? ""),
});

/** A path in the image, which nothing can be read from any more. */
export const hidden: Kind = mount({
  expected: "an absolute path in the image",
  type: "string",
  example: "/etc/secret",
  wrong: (text) => (isAbsolute(text) ? undefined : { given: text }),
  target: (text) => text,
});

/** pivot_root_parse, same file. */
export const pivotRoot: Kind = mount({
  expected: "NEW or NEW:OLD, absolute paths in the image without . or .. in them",
  type: "string",
  example: "/srv/root",
  wrong: (text) =>
    splitColons(text).every((path) => isAbsolute(path) && !/(?:^|\/)\.\.?(?:\/|$)/.test(path)) ? undefined : { given: text },
});

const isAbsolute = (path: string): boolean => path.startsWith("/");
/** `+` stands for the root of the image. Relative paths would be looked up in the unit's working folder, which is no one's. */
const isSource = (path: string): boolean => /^\+?\//.test(path);
const targetOfSource = (source: string): string => source.replace(/^\+/, "");

/** The part behind the second colon that is one, as it is. */
function bindOptionsOf(text: string): readonly string[] {
  const options = /^(?:[^:\\]|\\.)*:(?:[^:\\]|\\.)*:(.*)$/s.exec(text)?.[1];
  return options ? options.split(",") : [];
}

type FieldType = "text" | "text?" | "texts" | "texts?" | "boolean?";
/** How an object is written as a text. */
type Spec = {
  /** What each field has; those with `?` may be left out. */
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Gets the texts of each field; a boolean has none, and `readOnly` decides which setting it is (`readOnlyName` in the catalog). */
  readonly write: (texts: Readonly<Record<string, readonly string[]>>) => string;
};
type Mount = Pick<Kind, "expected" | "type" | "example" | "since"> & {
  readonly spec?: Spec;
  /** What is wrong with a text, if anything. */
  readonly wrong: (text: string) => { readonly given: string; readonly expected?: string; readonly hint?: string | undefined } | undefined;
  /** Where the mount goes: of two in one place, one hides the other. */
  readonly target?: (text: string) => string;
};

function mount({ spec, wrong, target, ...kind }: Mount): Kind {
  const read = (value: unknown): string | WrongValue => {
    const text = spec && isRecord(value) ? specText(spec, value, kind.expected) : scalarText(value, kind.expected);
    if (typeof text !== "string") return text;
    const bad = wrong(text);
    return bad ? new WrongValue(bad.expected ?? kind.expected, bad.given, bad.hint) : text;
  };
  return { ...kind, read, ...(target ? { about: (text) => `mount ${plainPath(target(text))}` } : {}) };
}

/** Without slashes that mean nothing. */
function plainPath(path: string): string {
  return `/${path.split("/").filter(Boolean).join("/")}`;
}

function specText({ fields, write }: Spec, value: Readonly<Record<string, unknown>>, expected: string): string | WrongValue {
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) return new WrongValue(expected, value, didYouMean(unknown, Object.keys(fields)));
  const texts: Record<string, readonly string[]> = {};
  for (const [name, type] of Object.entries(fields)) {
    const given = textsOf(type, value[name]);
    if (!given) return new WrongValue(expected, value, value[name] === undefined ? `${name} is missing` : `${name} is wrong`);
    texts[name] = given;
  }
  return write(texts);
}

/** A field's value as texts, or undefined if it is wrong. */
function textsOf(type: FieldType, value: unknown): readonly string[] | undefined {
  const isText = (item: unknown): item is string => typeof item === "string" && !item.includes("\0");
  if (value === undefined && type.endsWith("?")) return [];
  if (type === "boolean?") return typeof value === "boolean" ? [] : undefined;
  if (isText(value)) return [value];
  return type.startsWith("texts") && Array.isArray(value) && Array.from(value).every(isText) ? value : undefined;
}

/** Parts between colons, where options are not empty. */
function colons(paths: readonly string[], options: readonly string[] = []): string {
  const joined = options.join(",");
  return [...paths.map(escapeColons), ...(joined === "" ? [] : [joined])].join(":");
}
