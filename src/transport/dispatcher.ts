import { Agent, type Dispatcher, ProxyAgent } from "undici";
import { isDirect, type Proxies } from "./proxy.js";

/**
 * Sends each request through the proxy for it, if there is one: to TLS servers through a tunnel (CONNECT), to others as a request
 * for the whole URL, which is what proxies allow.
 * @param connectTimeout in seconds, to take a connection
 */
export function dispatcherFor({ http, https, noProxy }: Proxies, connectTimeout: number): Dispatcher {
  const connect = { timeout: connectTimeout * 1000 };
  // Few images come from one server: its connection is not kept for the next.
  const common = { connect, keepAliveTimeout: 100 };
  const direct = new Agent(common);
  const through = (proxy: URL | undefined): Dispatcher =>
    proxy ? new ProxyAgent({ ...common, uri: proxy.href, proxyTunnel: false, proxyTls: connect, requestTls: connect }) : direct;
  const agents = { http: through(http), https: through(https) };
  return direct.compose((dispatch) => (options, handler) => {
    const url = new URL(String(options.origin));
    const agent = isDirect(url, noProxy) ? direct : agents[url.protocol === "https:" ? "https" : "http"];
    return agent === direct ? dispatch(options, handler) : agent.dispatch(options, handler);
  });
}
