import { NspawnError } from "../base/errors.js";
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

/** Values of the metadata file by its keys, such as `image_url`: of any kind, as long as nothing has looked at them. */
export type MetaFields = Readonly<Record<string, unknown>>;

/**
 * What the metadata of an image says, which may come from anywhere: every value is checked.
 * @throws NspawnError that names the image
 */
export function metaOf(fields: MetaFields, origin: string): ImageMeta {
  const wrong: Wrong = (what) => wrongMeta(what, origin);
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

/** The error for metadata that cannot be used. */
export function wrongMeta(what: string, origin: string): NspawnError {
  return new NspawnError(`the image ${origin} has a wrong ${metaFile}: ${what}`);
}

type Wrong = (what: string) => NspawnError;

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
