import type { IncomingHttpHeaders } from "node:http";
import type { Validators } from "./transport.js";

/** The first value of a header, by its name in lower case. One without a value, as some servers send them, counts as not there. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) || undefined;
}

/**
 * What tells versions of a URL apart, in the order of trust: the digest that the server names, its ETag (a weak one too: it may miss a change
 * within the second of another one, as dates do), or its date and length together.
 */
export function validatorsOf(headers: IncomingHttpHeaders): Validators {
  const digest = header(headers, "nspawn-digest");
  if (digest !== undefined) return { digest };
  const etag = header(headers, "etag");
  if (etag !== undefined) return { etag };
  const modified = header(headers, "last-modified");
  const length = header(headers, "content-length");
  return modified !== undefined && length !== undefined ? { modified, length } : {};
}

/** The SHA-256 that a server names, if what it names is one. */
export function sha256Of({ digest }: Validators): string | undefined {
  return digest !== undefined && /^sha256:[0-9a-f]{64}$/i.test(digest) ? digest.toLowerCase() : undefined;
}

/** What stands for the very same bytes, so that parts of two answers may be put together (RFC 9110, 8.8.1: strong validators). */
export type Identity = { readonly digest?: string | undefined; readonly etag?: string | undefined; readonly modified?: string | undefined };

export function identityOf(headers: IncomingHttpHeaders): Identity {
  const etag = header(headers, "etag");
  return {
    digest: header(headers, "nspawn-digest"),
    etag: etag?.startsWith('"') ? etag : undefined,
    modified: strongDate(headers),
  };
}

/** Whether two answers certainly have the same content: they agree in one thing at least, and differ in none. */
export function sameBytes(a: Identity, b: Identity): boolean {
  return common(a, b).length > 0 && !differ(a, b);
}

/** Whether two answers certainly have not the same content. */
export function differ(a: Identity, b: Identity): boolean {
  return common(a, b).some((name) => a[name] !== b[name]);
}

function common(a: Identity, b: Identity): readonly (keyof Identity)[] {
  return (["digest", "etag", "modified"] as const).filter((name) => a[name] !== undefined && b[name] !== undefined);
}

/** A date is as good as an ETag once the content can no longer change within its second (RFC 9110, 8.8.2.2). */
function strongDate(headers: IncomingHttpHeaders): string | undefined {
  const modified = header(headers, "last-modified");
  const age = Date.parse(header(headers, "date") ?? "") - Date.parse(modified ?? "");
  return age >= 1000 ? modified : undefined;
}
