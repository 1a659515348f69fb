import { messageOf, TransferError } from "../base/errors.js";

/** A transfer that failed for a reason that may pass: it is worth another try. */
export class TransientError extends TransferError {
  /** Milliseconds that the server asks to wait for. */
  readonly retryAfter: number | undefined;
  readonly why: string;

  constructor(
    url: string,
    why: string,
    options: { status?: number; retryAfter?: number | undefined; cause?: unknown; hint?: string | undefined } = {},
  ) {
    super(url, why, options);
    this.why = why;
    this.retryAfter = options.retryAfter;
  }
}

/** The content of a URL changed while it was read, or may have: what was read of it is worth nothing. */
export class ChangedError extends TransferError {}

/** What did not come in time. */
export class TimeOut extends Error {}

/** A proxy answered a request for a tunnel with another status than 2xx. */
export class ProxyRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the proxy refuses it with HTTP status ${status}`);
    this.status = status;
  }
}

/**
 * The error for a request that failed without an answer, or for an answer that broke off.
 * @param url of the image
 * @param asked the URL of the server that was asked, where a redirect led to another one
 */
export function failureOf(url: string, what: string, error: unknown, asked = url): TransferError {
  if (error instanceof TransferError) return error;
  const code = codeOf(error);
  const why = `${what}: ${reasons[messageOf(error)] ?? messageOf(first(error))}`;
  if (error instanceof ProxyRefusal) return proxyFailure(url, why, error);
  if (error instanceof TimeOut || transientCodes.has(code)) return new TransientError(url, why, { cause: error });
  return new TransferError(url, why, { cause: error, hint: hintFor(asked, code) });
}

/** What Node tells in words of its own. */
const reasons: Readonly<Record<string, string>> = {
  aborted: "the connection ended early",
  "socket hang up": "the connection ended before the answer",
};

const transientCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  // The name server does not answer; that there is no such name is ENOTFOUND.
  "EAI_AGAIN",
]);

/** Codes of certificates whose CA is not known (`man 3 X509_STORE_CTX_get_error`). */
const unknownCa: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);

function hintFor(url: string, code: string): string | undefined {
  const host = new URL(url).hostname;
  if (unknownCa.has(code))
    return `if this is the right server, put the certificate of its CA into a file, and name that as ca_file in [auth/${host}]`;
  if (code === "CERT_HAS_EXPIRED") return "the server needs a new certificate";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the server's certificate is for other hosts: check the URL";
  return code === "ENOTFOUND" ? "check the URL" : undefined;
}

/** Several addresses that all fail give one error with the others in it. */
function first(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}

function codeOf(error: unknown): string {
  const inner = first(error);
  return inner instanceof Error && "code" in inner ? String(inner.code) : "";
}

/** A proxy that finds no way to the server may find one later; a login that it refuses, it refuses again. */
function proxyFailure(url: string, why: string, { status }: ProxyRefusal): TransferError {
  if (status >= 500) return new TransientError(url, why, { status });
  return new TransferError(url, why, { status, hint: status === 407 ? proxyHint : undefined });
}

export const proxyHint = "check the login in the URL of the proxy, http://USER:PASSWORD@HOST:PORT";
