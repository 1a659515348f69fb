import { type CST, isMap, isScalar, LineCounter, Parser, parseDocument, Scalar, stringify } from "yaml";
import { messageOf, NspawnError } from "../base/errors.js";
import { shorten } from "../base/shorten.js";
import { type ImageMeta, type MetaFields, maxMetaBytes, metaOf, wrongMeta } from "./meta.js";

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
 * Reads the text of the metadata of an image, which may come from anywhere: every value is checked.
 * @throws NspawnError that names the image
 */
export function readMeta(text: string, origin: string): ImageMeta {
  return metaOf(parseMeta(text, origin), origin);
}

/**
 * The keys and values in the text of metadata.
 * @throws NspawnError that names the image, if it is no such text
 */
export function parseMeta(text: string, origin: string): MetaFields {
  const wrong = (what: string): NspawnError => wrongMeta(what, origin);
  if (text.length > maxMetaBytes) throw wrong(`it is larger than ${maxMetaBytes} bytes`);
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
    return document.toJS({ maxAliasCount: 0 }) as MetaFields;
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
