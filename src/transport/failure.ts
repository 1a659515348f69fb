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

/** The error for a request that failed without an answer, or for an answer that broke off. */
export function failureOf(url: string, what: string, error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const proxyStatus = proxyStatusOf(error);
  if (proxyStatus !== undefined) return proxyFailure(url, what, proxyStatus);
  const code = codeOf(error);
  const why = `${what}: ${reasons[code] ?? messageOf(first(error))}`;
  if (transientCodes.has(code)) return new TransientError(url, why, { cause: error });
  return new TransferError(url, why, { cause: error, hint: hintFor(url, code) });
}

/** Reasons that the library tells in its own words. */
const reasons: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: "no answer came in time (read_timeout in [network])",
  UND_ERR_BODY_TIMEOUT: "nothing came for too long (read_timeout in [network])",
  UND_ERR_CONNECT_TIMEOUT: "no connection was taken in time (connect_timeout in [network])",
  UND_ERR_SOCKET: "the connection broke",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection ended early",
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
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  // Chunks that end in their middle.
  "HPE_INVALID_EOF_STATE",
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

/** The status with which a proxy refused a tunnel, or wants another login, which the library tells in words. */
function proxyStatusOf(error: unknown): number | undefined {
  const [, status] = /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(messageOf(error)) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** A proxy that finds no way to the server may find one later; a login that it refuses, it refuses again. */
function proxyFailure(url: string, what: string, status: number): TransferError {
  const why = `${what}: the proxy refuses it with HTTP status ${status}`;
  if (status >= 500) return new TransientError(url, why, { status });
  return new TransferError(url, why, { status, hint: status === 407 ? proxyHint : undefined });
}

export const proxyHint = "check the login in the URL of the proxy, http://USER:PASSWORD@HOST:PORT";
