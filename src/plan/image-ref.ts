/** How an archive is compressed, by the ending of its name. */
export type Compression = "gz" | "xz" | "zst";

/** An image's URL, checked and in one spelling: `file://localhost/a` and `file:///a` are the same image. */
export type ImageRef = {
  /** As the script or the image wrote it. */
  readonly written: string;
  /** In one spelling; two images are the same if this is. */
  readonly url: string;
  readonly scheme: "file" | "http" | "https";
};

/**
 * Reads an image URL.
 * @returns the image, or a text that says what is wrong with the URL
 */
export function imageRef(written: string): ImageRef | string {
  if (!URL.canParse(written)) return `${JSON.stringify(written)} is no URL`;
  const url = new URL(written);
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== "file" && scheme !== "http" && scheme !== "https")
    return `the scheme ${JSON.stringify(scheme)} is not one of file, http, https`;
  if (scheme !== "file" && !/^https?:[/\\]{2}/i.test(written)) return `${JSON.stringify(written)} has no // before its host`;
  if (url.username || url.password) return "a URL with a login in it would end up in images and logs";
  if (url.hash) return "the URL of an archive has no #fragment";
  if (scheme === "file" && url.hostname !== "")
    return `a file: URL names this host: file:///path or file://localhost/path, not ${JSON.stringify(url.hostname)}`;
  if (url.pathname === "/" || url.pathname.endsWith("/")) return "the URL names a folder, not an archive";
  if (/%00|%2f/i.test(url.pathname)) return "the URL's path has an encoded / or NUL";
  return { written, url: url.href, scheme };
}

/** The compression that a URL's ending asks for, or undefined if it is none that can be written. */
export function compressionOf(ref: ImageRef): Compression | undefined {
  const match = /\.tar\.(gz|xz|zst)$/.exec(new URL(ref.url).pathname);
  return match?.[1] as Compression | undefined;
}
