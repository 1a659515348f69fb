import { type CST, isMap, isScalar, LineCounter, Parser, parseDocument, Scalar, stringify } from "yaml";
import { messageOf, NspawnError } from "../base/errors.js";
import { shorten } from "../base/shorten.js";
import { type ImageRef, imageRef } from "../plan/image-ref.js";
import { isSettingName, type SettingName } from "../settings/catalog.js";
import { entriesOf, type SettingEntry } from "../settings/value.js";

/** File at the root of every image, shared with the Python tool of the same name. */
export const metaFile = "nspawn-image.yaml";

/** A parent as an image names it; `digest`: the archive that the child was built on (`sha256:…`), unknown for images of the Python tool. */
export type ParentRef = { readonly image: ImageRef; readonly digest: string | undefined };

/** What an image says of itself. */
export type ImageMeta = {
  readonly url: string;
  readonly parents: readonly ParentRef[];
  readonly command: readonly string[] | undefined;
  readonly settings: readonly SettingEntry[];
  /** Settings of ancestors that it takes away. */
  readonly removed: readonly SettingName[];
};

/** The metadata of an image that has none: a plain root file system. */
export function noMeta(url: string): ImageMeta {
  return { url, parents: [], command: undefined, settings: [], removed: [] };
}

/** More bytes than this are no description of an image, but an attack. */
export const maxMetaBytes = 1 << 20;

/** Lists in a map are two levels; keys of other tools may hold more. */
const maxDepth = 50;
const maxItems = 60_000;

/**
 * Writes the metadata, in the keys that the Python tool reads (it ignores others), such as:
 * ```yaml
 * image_url: file://localhost/srv/top.tar.gz
 * overlay_url_list: [file://localhost/srv/left.tar.gz]
 * profile_command: [/usr/bin/env, sh]
 * profile_entry_list: [Hostname=top]
 * overlay_digest_list: [sha256:…]          # ours
 * profile_removal_list: [Bind]             # ours
 * ```
 */
export function writeMeta(meta: ImageMeta): string {
  return stringify(
    {
      image_url: text(meta.url),
      overlay_url_list: meta.parents.map(({ image }) => text(image.written)),
      profile_command: meta.command ? meta.command.map(text) : null,
      profile_entry_list: meta.settings.map(({ name, value }) => text(`${name}=${value}`)),
      overlay_digest_list: meta.parents.map(({ digest }) => digest ?? null),
      profile_removal_list: [...meta.removed],
    },
    { lineWidth: 0, blockQuote: false, doubleQuotedAsJSON: true },
  );
}

/** Whatever is not plain ASCII is written as JSON writes it: other styles of YAML do not keep every kind of white space. */
function text(value: string): Scalar<string> {
  const scalar = new Scalar(value);
  if (!/^[ -~]*$/.test(value)) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/**
 * Reads the metadata of an image, which may come from anywhere: every value is checked.
 * @throws NspawnError that names the image
 */
export function readMeta(text: string, origin: string): ImageMeta {
  const wrong = (what: string): NspawnError => new NspawnError(`the image ${origin} has a wrong ${metaFile}: ${what}`);
  if (text.length > maxMetaBytes) throw wrong(`it is larger than ${maxMetaBytes} bytes`);
  const fields = parseFields(text, wrong);
  const lines = (key: string): readonly string[] => textList(fields[key] ?? [], key, wrong);
  const digests = Array.isArray(fields.overlay_digest_list) ? fields.overlay_digest_list : [];
  const command = fields.profile_command ?? null;
  const argv = command === null ? undefined : textList(command, "profile_command", wrong);
  return {
    url: typeof fields.image_url === "string" ? fields.image_url : origin,
    parents: lines("overlay_url_list").map((url, index) => parentRef(url, digests[index], wrong)),
    command: argv && argv.length > 0 ? argv : undefined,
    settings: lines("profile_entry_list").flatMap((line) => entries(line, wrong)),
    removed: lines("profile_removal_list").map((name) => settingName(name, wrong)),
  };
}

type Wrong = (what: string) => NspawnError;

function parseFields(text: string, wrong: Wrong): Readonly<Record<string, unknown>> {
  const tooMuch = excess(text);
  if (tooMuch !== undefined) throw wrong(tooMuch);
  try {
    // To look for keys that are there twice, and to make errors pretty, takes the library minutes for as many as fit into the file.
    const options = { logLevel: "silent", stringKeys: true, uniqueKeys: false, prettyErrors: false } as const;
    const lineCounter = new LineCounter();
    const document = parseDocument(text, { ...options, lineCounter });
    const [error] = document.errors;
    if (error) throw wrong(`line ${lineCounter.linePos(error.pos[0]).line}: ${error.message}`);
    if (!isMap(document.contents)) throw wrong("it is no list of keys and values");
    const twice = firstTwice(document.contents.items.map(({ key }) => (isScalar(key) ? String(key.value) : "")));
    if (twice !== undefined) throw wrong(`it has the key ${shorten(JSON.stringify(twice))} twice`);
    // No aliases: a few lines of them grow into gigabytes.
    return document.toJS({ maxAliasCount: 0 }) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw error instanceof NspawnError ? error : wrong(messageOf(error).split("\n")[0] ?? "");
  }
}

/**
 * What makes a text more than metadata can be, if anything: to make a document of it, the library calls itself for each level, and where
 * the stack ends in the wrong place, V8 ends the process; mistakes by the thousand take it minutes. Its tokens come without that.
 */
function excess(text: string): string | undefined {
  let level: readonly CST.Token[] = [...new Parser().parse(text)];
  let count = level.length;
  if (level.filter(({ type }) => type === "document").length > 1) return "it has several documents";
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return `it is nested more than ${maxDepth} levels deep`;
    count += level.reduce((sum, token) => sum + ("items" in token ? token.items.length : 0), 0);
    if (count > maxItems) return `it has more than ${maxItems} items`;
    level = level.flatMap(tokensBelow);
  }
  return undefined;
}

function tokensBelow(token: CST.Token): readonly CST.Token[] {
  if (token.type === "document") return token.value ? [token.value] : [];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [...(key ? [key] : []), ...(value ? [value] : [])]);
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function textList(value: unknown, key: string, wrong: Wrong): readonly string[] {
  if (Array.isArray(value) && value.every((item): item is string => typeof item === "string" && !item.includes("\0"))) return value;
  throw wrong(`${key} is no list of texts`);
}

function parentRef(url: string, digest: unknown, wrong: Wrong): ParentRef {
  const image = imageRef(url);
  if (typeof image === "string") throw wrong(`overlay_url_list: ${shorten(image, 500)}`);
  // A URL may have line breaks in it, which mean nothing.
  if (/\p{Cc}/u.test(url)) throw wrong(`overlay_url_list: ${shorten(JSON.stringify(url))} has control characters`);
  if (digest === undefined || digest === null) return { image, digest: undefined };
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) throw wrong("overlay_digest_list has a wrong digest");
  return { image, digest };
}

/** Each value as a setup script's own would be read: `Boot=true` is `yes`, `Capability=A B` is two. */
function entries(line: string, wrong: Wrong): readonly SettingEntry[] {
  const at = line.indexOf("=");
  const name = settingName(line.slice(0, Math.max(0, at)), wrong);
  const value = line.slice(at + 1);
  const { entries, wrong: bad } = entriesOf(name, value);
  if (bad[0]) throw wrong(`${name} takes ${bad[0].expected}, not ${shorten(JSON.stringify(value))}`);
  return entries;
}

function settingName(name: string, wrong: Wrong): SettingName {
  if (isSettingName(name)) return name;
  throw wrong(`there is no setting ${shorten(JSON.stringify(name))}`);
}
