import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { onTestFinished } from "vitest";

/** Starts a server on this host for one test, and gives its URL, without a slash at its end. */
export async function serve(listener: RequestListener): Promise<string> {
  return start(createServer(listener));
}

/** What came to a proxy: `GET http://host/path` or `CONNECT host:port`, with the login for the proxy itself. */
export type Proxied = { readonly line: string; readonly login: string | undefined };

/** A server that all requests of a proxy's clients end at, whatever host they name, and what the clients wanted. */
export async function serveProxy(target: string): Promise<{ readonly url: string; readonly proxied: readonly Proxied[] }> {
  const proxied: Proxied[] = [];
  const { hostname, port } = new URL(target);
  const note = ({ method, url, headers }: IncomingMessage): void =>
    void proxied.push({ line: `${method} ${url}`, login: headers["proxy-authorization"] });
  const server = createServer((incoming, response) => {
    note(incoming);
    const { pathname, search } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const onward = request({ hostname, port, method, headers, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.on("connect", (incoming: IncomingMessage, client) => {
    note(incoming);
    const onward = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const [socket, other] of [[onward, client] as const, [client, onward] as const]) socket.on("error", () => other.destroy());
    onTestFinished(() => void onward.destroy());
  });
  return { url: await start(server), proxied };
}

/** A port of this host where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function start(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
