import { STATUS_CODES } from "node:http";
import type { Dispatcher } from "undici";
import { TransferError } from "../base/errors.js";
import type { ImageRef } from "../plan/image-ref.js";
import { proxyHint, TransientError } from "./failure.js";
import { header } from "./freshness.js";

type Answer = Pick<Dispatcher.ResponseData, "statusCode" | "headers">;

/** Throws for a status other than 2xx. */
export function checkStatus(image: ImageRef, method: string, answer: Answer): void {
  if (answer.statusCode < 200 || answer.statusCode >= 300) throw refused(image, method, answer);
}

/** The error for a status that is not the one wanted: a TransientError, if it may pass. */
export function refused(image: ImageRef, method: string, { statusCode: status, headers }: Answer): TransferError {
  const name = STATUS_CODES[status];
  const why = `HTTP status ${status}${name ? ` ${name}` : ""} to ${method}`;
  const hint = hintFor(image, method, status, headers);
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

function hintFor(image: ImageRef, method: string, status: number, headers: Answer["headers"]): string | undefined {
  switch (status) {
    case 404:
      return method === "PUT" ? "check the URL" : "check the URL, or build and push the image first";
    case 401:
    case 403:
      return `check the login in [auth/${new URL(image.url).hostname}] of the configuration`;
    case 407:
      return proxyHint;
    case 405:
    case 501:
      return method === "PUT" ? "the server takes no uploads here: with nginx, dav_methods PUT switches them on" : undefined;
    case 409:
      return method === "PUT" ? "the server may lack the folder: with nginx, create_full_put_path on makes it" : undefined;
    case 413:
      return "the image is larger than the server takes: with nginx, client_max_body_size is the limit";
    case 507:
      return "the server has no room left: remove images there";
    default:
      return method === "PUT" && header(headers, "location") !== undefined
        ? "uploads are not redirected: push to the URL where it leads"
        : undefined;
  }
}
