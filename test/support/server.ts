import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { onTestFinished } from "vitest";

/** Starts a server on this host for one test, and gives its URL, without a slash at its end. */
export async function serve(listener: RequestListener): Promise<string> {
  return start(createServer(listener));
}

/** The same with TLS, by a certificate; the URL names the host `localhost`. */
export async function serveTls({ key, cert }: { readonly key: string; readonly cert: string }, listener: RequestListener): Promise<string> {
  const url = await start(createTlsServer({ key, cert }, listener));
  return url.replace("http://127.0.0.1", "https://localhost");
}

/** A server below HTTP; gives its port. */
export async function serveTcp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}

/** What came to a proxy: `GET http://host/path` or `CONNECT host:port`, with the login for the proxy itself. */
export type Proxied = { readonly line: string; readonly login: string | undefined };

/**
 * A server that all requests of a proxy's clients end at, whatever host they name, and what the clients wanted.
 * @param certificate for an https: proxy, whose URL names the host `localhost`
 */
export async function serveProxy(
  target: string,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<{ readonly url: string; readonly proxied: readonly Proxied[] }> {
  const proxied: Proxied[] = [];
  const { hostname, port } = new URL(target);
  const note = ({ method, url, headers }: IncomingMessage): void =>
    void proxied.push({ line: `${method} ${url}`, login: headers["proxy-authorization"] });
  const pass: RequestListener = (incoming, response) => {
    note(incoming);
    const { pathname, search } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const onward = request({ hostname, port, method, headers, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  };
  const server = certificate ? createTlsServer({ key: certificate.key, cert: certificate.cert }, pass) : createServer(pass);
  server.on("connect", (incoming: IncomingMessage, client) => {
    note(incoming);
    const onward = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const [socket, other] of [[onward, client] as const, [client, onward] as const]) socket.on("error", () => other.destroy());
    onTestFinished(() => void onward.destroy());
  });
  const url = await start(server);
  return { url: certificate ? url.replace("http://127.0.0.1", "https://localhost") : url, proxied };
}

/** A port of this host where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  await new Promise((done) => server.close(done));
  return port;
}

async function start(server: Server | ReturnType<typeof createTlsServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

function portOf(server: TcpServer): number {
  return (server.address() as AddressInfo).port;
}
