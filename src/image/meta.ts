import { parseDocument, Scalar, stringify } from "yaml";
import { messageOf, NspawnError } from "../base/errors.js";
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

/** More bytes than this are no description of an image, but an attack. */
export const maxMetaBytes = 1 << 20;

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
  try {
    const document = parseDocument(text, { logLevel: "silent", stringKeys: true });
    const [error] = document.errors;
    if (error) throw error;
    // No aliases: a few lines of them grow into gigabytes.
    const fields: unknown = document.toJS({ maxAliasCount: 0 });
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return fields as Record<string, unknown>;
  } catch (error) {
    throw wrong(messageOf(error).split("\n")[0] ?? "");
  }
  throw wrong("it is no list of keys and values");
}

function textList(value: unknown, key: string, wrong: Wrong): readonly string[] {
  if (Array.isArray(value) && value.every((item): item is string => typeof item === "string" && !item.includes("\0"))) return value;
  throw wrong(`${key} is no list of texts`);
}

function parentRef(url: string, digest: unknown, wrong: Wrong): ParentRef {
  const image = imageRef(url);
  if (typeof image === "string") throw wrong(`overlay_url_list: ${image}`);
  if (digest === undefined || digest === null) return { image, digest: undefined };
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) throw wrong("overlay_digest_list has a wrong digest");
  return { image, digest };
}

/** Each value as a setup script's own would be read: `Boot=true` is `yes`, `Capability=A B` is two. */
function entries(line: string, wrong: Wrong): readonly SettingEntry[] {
  const at = line.indexOf("=");
  const name = settingName(line.slice(0, Math.max(0, at)), wrong);
  const value = line.slice(at + 1);
  const read = entriesOf(name, value);
  if (typeof read === "string") throw wrong(`${name} takes ${read}, not ${JSON.stringify(value)}`);
  return read;
}

function settingName(name: string, wrong: Wrong): SettingName {
  if (isSettingName(name)) return name;
  throw wrong(`there is no setting ${JSON.stringify(name)}`);
}
