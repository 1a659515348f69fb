import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as startRequest } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { ByteSource } from "../base/byte-source.js";
import { Body } from "./body.js";
import type { Connection } from "./connections.js";
import { TimeOut } from "./failure.js";
import type { Tap } from "./tap.js";

/** What is asked. With `expect: "100-continue"` in `headers`, the body waits until the server wants it. */
export type Request = {
  readonly method: "GET" | "HEAD" | "PUT";
  /** With the length of the body. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable | undefined;
  /** Milliseconds to wait for the head of the answer, and for each further part of its body, while somebody reads that. */
  readonly timeout: number;
  /** Ends the request, also while the body of the answer is read. */
  readonly signal: AbortSignal;
};

/** An answer. `body` ends in an error, unless all of it came. */
export type Response = { readonly statusCode: number; readonly headers: IncomingHttpHeaders; readonly body: ByteSource };

/**
 * Asks a server, over a connection that ends with the answer. An answer that comes before all of the request's body was sent is the
 * answer, and no more is sent.
 * @throws TimeOut, the reason of `signal`, what the request's body ends in, errors of the system and of the parser (`HPE_…`)
 */
export function request({ socket, tap, target, headers: forProxy }: Connection, request: Request): Promise<Response> {
  const { method, headers, body, timeout, signal } = request;
  const outgoing = startRequest({ method, path: target, headers: { ...headers, ...forProxy }, createConnection: () => socket });
  const stop = (): void => void outgoing.destroy(signal.reason);
  signal.addEventListener("abort", stop);
  outgoing.once("close", () => signal.removeEventListener("abort", stop));
  const answer = answerOf(outgoing, { timeout, tap, body });
  if (signal.aborted) stop();
  else if (!body) outgoing.end();
  else {
    if (body.errored) outgoing.destroy(body.errored);
    body.once("error", (error) => outgoing.destroy(error));
    readingFirst(socket);
    if (headers.expect === undefined) body.pipe(outgoing);
    else sendIfWanted(outgoing, body);
  }
  return answer;
}

/** @param body what is sent meanwhile: as long as that gets on, the answer has time */
function answerOf(
  outgoing: ClientRequest,
  { timeout, tap, body }: Pick<Request, "timeout" | "body"> & Pick<Connection, "tap">,
): Promise<Response> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => outgoing.destroy(new TimeOut("no answer came in time (read_timeout in [network])")), timeout);
    const getsOn = (): unknown => timer.refresh();
    const ended = (): void => {
      clearTimeout(timer);
      body?.off("data", getsOn).unpipe(outgoing);
    };
    let failure: Error | undefined;
    outgoing.on("error", (error) => {
      failure ??= error;
      fail(error);
    });
    outgoing.once("close", ended);
    outgoing.once("response", (incoming) => {
      ended();
      const { statusCode = 0, headers } = incoming;
      done({ statusCode, headers, body: bodyOf(incoming, outgoing, { timeout, tap, failure: () => failure }) });
    });
    // It does not flow yet: that begins with the pipe.
    body?.pause().on("data", getsOn);
  });
}

/**
 * Node gives a connection up as soon as it cannot be written to. The answer that says why may have come before that: it is read first, in turns of
 * the event loop between the failure and its being told.
 */
function readingFirst(socket: Socket): void {
  const { _write, _writev } = socket;
  socket._write = (chunk, encoding, done) => _write.call(socket, chunk, encoding, failingLater(done));
  if (_writev) socket._writev = (chunks, done) => _writev.call(socket, chunks, failingLater(done));
}

type Done = (error?: Error | null) => void;

function failingLater(done: Done): Done {
  return (error) => {
    if (error) setImmediate(() => setImmediate(() => done(error)));
    else done();
  };
}

/** Milliseconds after which a server that does not answer `Expect` gets the body all the same: it may not know that (RFC 9110, 10.1.1). */
const expectation = 1000;

function sendIfWanted(outgoing: ClientRequest, body: Readable): void {
  const begin = (): void => {
    settled();
    body.pipe(outgoing);
  };
  const timer = setTimeout(begin, expectation);
  const settled = (): void => {
    clearTimeout(timer);
    outgoing.off("continue", begin);
  };
  outgoing.once("continue", begin).once("response", settled).once("close", settled);
  outgoing.flushHeaders();
}

/**
 * The body of an answer. Where its length is known, what follows the head is taken from the connection itself, if that can be done: Node's parser would
 * copy it once more, and take new memory for each piece.
 * @param failure why the connection broke, as far as it is known
 */
function bodyOf(
  incoming: IncomingMessage,
  outgoing: ClientRequest,
  { timeout, tap, failure }: { readonly timeout: number; readonly tap: Tap | undefined; readonly failure: () => Error | undefined },
): ByteSource {
  const length = outgoing.method === "GET" && tap ? plainLength(incoming) : undefined;
  let left = length ?? Number.POSITIVE_INFINITY;
  const body = new Body(timeout, {
    resume: () => length === undefined && incoming.resume(),
    close: () => outgoing.destroy(),
  });
  const put = (piece: Buffer, release?: () => void): boolean => {
    const bytes = piece.subarray(0, left);
    left -= bytes.length;
    const goesOn = body.put(bytes, release);
    if (left === 0) body.end();
    return goesOn;
  };
  incoming.on("data", (chunk: Buffer) => {
    if (!put(chunk) && length === undefined) incoming.pause();
  });
  incoming.once("end", () => body.end());
  incoming.once("error", (error) => body.fail(failure() ?? error));
  if (length !== undefined) tap?.open(put);
  return body.source;
}

/** How many bytes follow the head as they are; undefined if that is not certain. */
function plainLength({ headers }: IncomingMessage): number | undefined {
  const length = headers["content-length"];
  return headers["transfer-encoding"] === undefined && length !== undefined && /^[1-9]\d{0,14}$/.test(length) ? Number(length) : undefined;
}
