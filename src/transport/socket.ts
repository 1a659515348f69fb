import { type EventEmitter, once } from "node:events";
import { request } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ProxyRefusal, TimeOut } from "./failure.js";
import type { Tap } from "./tap.js";
import type { TlsTrust } from "./trust.js";

/** What ends an attempt: its time is over, in milliseconds, or nobody wants it any more. */
export type Limits = { readonly timeout: number; readonly signal: AbortSignal };

/**
 * Connects to the server of a URL.
 * @param tls undefined: without TLS
 * @param tap reads what comes
 * @throws TimeOut, AbortError, errors of the system with their code
 */
export async function openSocket(url: URL, tls: TlsTrust | undefined, limits: Limits, tap?: Tap): Promise<Socket> {
  const to = { host: hostOf(url), port: portOf(url), ...(tap ? { onread: tap.onread } : {}) };
  const socket = tls ? connectTls({ ...to, ...identity(url), ...tls }) : connect(to);
  if (tap) tap.socket = socket;
  await taken(socket, tls ? "secureConnect" : "connect", limits);
  return socket.setNoDelay();
}

/**
 * Has the proxy at the other end of a connection pass it on to the server of a URL, with TLS in it.
 * @param headers for the proxy
 * @throws ProxyRefusal, and as openSocket
 */
export async function openTunnel(
  proxy: Socket,
  url: URL,
  headers: Readonly<Record<string, string>>,
  tls: TlsTrust,
  limits: Limits,
): Promise<Socket> {
  const path = `${url.hostname}:${portOf(url)}`;
  const connection = { host: path, connection: "keep-alive", ...headers };
  const asking = request({ method: "CONNECT", path, headers: connection, createConnection: () => proxy });
  asking.end();
  const [{ statusCode = 0 }] = await taken(asking, "connect", limits);
  if (statusCode < 200 || statusCode >= 300) {
    proxy.destroy();
    throw new ProxyRefusal(statusCode);
  }
  const socket = connectTls({ socket: proxy, host: hostOf(url), ...identity(url), ...tls });
  await taken(socket, "secureConnect", limits);
  return socket;
}

type Attempt = EventEmitter & { destroy(error?: Error): unknown };

/** Waits for the event of success, and gives its arguments. */
// biome-ignore lint/suspicious/noExplicitAny: as `once` has it.
async function taken(attempt: Attempt, event: string, { timeout, signal }: Limits): Promise<any[]> {
  // It may fail again after somebody was told: that is no news, and not to end the process.
  attempt.on("error", () => undefined);
  const late = (): unknown => attempt.destroy(new TimeOut("no connection was taken in time (connect_timeout in [network])"));
  const timer = setTimeout(late, timeout);
  try {
    return await once(attempt, event, { signal });
  } catch (error) {
    attempt.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Whom a certificate has to be for, and which one is asked for (SNI, in which addresses are not allowed). */
function identity(url: URL): { readonly servername?: string; readonly ALPNProtocols: string[] } {
  const host = hostOf(url);
  return { ...(isIP(host) === 0 ? { servername: host } : {}), ALPNProtocols: ["http/1.1"] };
}

/** Without the brackets of an IPv6 address. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "https:" ? 443 : 80));
}
