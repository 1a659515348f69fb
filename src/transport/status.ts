import { STATUS_CODES } from "node:http";
import { TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import type { Answer } from "./exchange.js";
import { proxyHint, TransientError } from "./failure.js";
import { header } from "./freshness.js";

type Refusal = Pick<Answer, "statusCode" | "headers" | "redirectedTo">;

/** Throws for a status other than 2xx. */
export function checkStatus(image: ImageRef, method: string, answer: Refusal): void {
  if (answer.statusCode < 200 || answer.statusCode >= 300) throw refused(image, method, answer);
}

/** The error for a status that is not the one wanted: a TransientError, if it may pass. */
export function refused(image: ImageRef, method: string, answer: Refusal): TransferError {
  const { statusCode: status, headers, redirectedTo } = answer;
  const name = STATUS_CODES[status];
  const why = `HTTP status ${status}${name ? ` ${name}` : ""} to ${method}${redirectedTo ? `, redirected to ${redirectedTo}` : ""}`;
  const hint = hintFor(image, method, answer);
  if (!isTransient(status)) return new TransferError(image.written, why, { status, hint });
  return new TransientError(image.written, why, { status, hint, retryAfter: retryAfter(header(headers, "retry-after"), Date.now()) });
}

/** 501 and 505: it cannot do that; 507: it is full; 511: a network wants a login. */
function isTransient(status: number): boolean {
  return [408, 425, 429].includes(status) || (status >= 500 && ![501, 505, 507, 511].includes(status));
}

/** Milliseconds from now; given as seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse takes more for a date than HTTP does.
  const until = text.endsWith(" GMT") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}

function hintFor(image: ImageRef, method: string, { statusCode, headers, redirectedTo }: Refusal): string | undefined {
  if (redirectedTo !== undefined && redirectedHints[statusCode] !== undefined) return redirectedHints[statusCode];
  if (statusCode === 401 || statusCode === 403) return `check the login in [auth/${new URL(image.url).hostname}] of the configuration`;
  if (method !== "PUT") return hints[statusCode];
  const redirects = header(headers, "location") !== undefined;
  return uploadHints[statusCode] ?? (redirects ? "uploads are not redirected: push to the URL where it leads" : undefined);
}

const hints: Readonly<Record<number, string>> = {
  404: "check the URL, or build and push the image first",
  407: proxyHint,
};

const uploadHints: Readonly<Record<number, string>> = {
  404: "check the URL",
  405: "the server takes no uploads here: with nginx, dav_methods PUT switches them on",
  407: proxyHint,
  409: "the server may lack the folder: with nginx, create_full_put_path on makes it",
  413: "the image is larger than the server takes: with nginx, client_max_body_size is the limit",
  500: "the server's log tells why: its disk may be full",
  501: "the server takes no uploads here: with nginx, dav_methods PUT switches them on",
  507: "the server has no room left: remove images there",
};

/** Of a server that a redirect leads to. */
const redirectedHints: Readonly<Record<number, string>> = {
  401: "a server that is redirected to gets no login, unless it is the image's own one",
  403: "a server that is redirected to gets no login, unless it is the image's own one",
  404: "the image's server redirects to where it is not: that server has to be set right, or check the URL",
};
