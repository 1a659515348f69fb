import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { serve } from "./server.js";

/** What a server has at its URL, and what it tells of it. */
export type Served = {
  readonly content: Buffer;
  /** ETag, Last-Modified, nspawn-digest, …; with an ETag by default. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** What goes wrong with one GET. `at`: after so many bytes of the answer's body. */
export type Fault =
  | { readonly kind: "cut" | "reset" | "stall"; readonly at: number }
  /** So many bytes in each packet, so many milliseconds apart. */
  | { readonly kind: "drip"; readonly bytes: number; readonly pause: number }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The whole with 200, whatever Range says. */
  | { readonly kind: "no-range" }
  /** The right part, with other headers. */
  | { readonly kind: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** Without Content-Length, in chunks; cut after so many bytes. */
  | { readonly kind: "chunked"; readonly at?: number }
  /** If-Range is not looked at. */
  | { readonly kind: "ignore-if-range" };

export type FaultyServer = {
  readonly url: string;
  /** Headers of the GET requests that came. */
  readonly gets: readonly IncomingHttpHeaders[];
};

/**
 * A server with one archive, at any path. It knows Range and If-Range as RFC 9110 has them, but what goes wrong.
 * @param served called for each request: its answers may change
 * @param faults for the first GET, the second, …; nothing goes wrong with those after them
 */
export async function faultyServer(served: (get: number) => Served, faults: readonly (readonly Fault[])[]): Promise<FaultyServer> {
  const gets: IncomingHttpHeaders[] = [];
  const url = await serve((request, response) => {
    const isHead = request.method === "HEAD";
    if (!isHead) gets.push(request.headers);
    void answer(request, response, served(gets.length), isHead ? [] : (faults[gets.length - 1] ?? []));
  });
  return { url: `${url}/a.tar.gz`, gets };
}

type FaultOf<K extends Fault["kind"]> = Extract<Fault, { readonly kind: K }>;

async function answer(request: IncomingMessage, response: ServerResponse, served: Served, faults: readonly Fault[]): Promise<void> {
  const find = <K extends Fault["kind"]>(...kinds: readonly K[]): FaultOf<K> | undefined =>
    faults.find((fault): fault is FaultOf<K> => kinds.includes(fault.kind as K));
  const status = find("status");
  if (status) return void response.writeHead(status.status, status.headers).end("sorry");
  const { content, headers = { etag: `"${content.length}"` } } = served;
  const from = find("no-range") ? undefined : rangeOf(request, headers, find("ignore-if-range") !== undefined);
  if (from !== undefined && from >= content.length) {
    return void response.writeHead(416, { ...headers, "content-range": `bytes */${content.length}` }).end();
  }
  const body = content.subarray(from ?? 0);
  response.writeHead(from === undefined ? 200 : 206, {
    ...headers,
    ...(find("chunked") ? {} : { "content-length": String(body.length) }),
    ...(from === undefined ? {} : { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
    ...find("headers")?.headers,
  });
  const broken = find("cut", "reset", "stall");
  const at = broken?.at ?? find("chunked")?.at;
  const drip = find("drip");
  if (drip) return dripped(response, body, drip);
  if (at === undefined) return void response.end(body);
  // What was written has to be sent, and read, before the connection ends: a reset takes away what is still on its way.
  if (at > 0) await new Promise((done) => response.write(body.subarray(0, at), done));
  else response.flushHeaders();
  if (broken?.kind === "stall") return;
  setTimeout(() => (broken?.kind === "reset" ? response.socket?.resetAndDestroy() : response.destroy()), 30);
}

async function dripped(response: ServerResponse, body: Buffer, { bytes, pause }: FaultOf<"drip">): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes));
    await new Promise((done) => setTimeout(done, pause));
  }
  response.end();
}

/** The first byte that a request wants; undefined: the whole. */
function rangeOf({ headers }: IncomingMessage, own: Readonly<Record<string, string>>, always: boolean): number | undefined {
  const first = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
  if (first === undefined) return undefined;
  const unless = headers["if-range"];
  const same = unless === undefined || unless === own.etag || unless === own["last-modified"];
  return same || always ? Number(first) : undefined;
}
