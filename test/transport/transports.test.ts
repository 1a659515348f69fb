import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ref } from "../support/archive.js";
import { testTransports, uploadOf } from "../support/http.js";
import { closedPort, serve, serveProxy, serveTcp } from "../support/server.js";

/** What servers were asked: `NAME METHOD PATH`, the host that was meant, and the login. */
type Asked = { readonly line: string; readonly host: string | undefined; readonly login: string | undefined };

const basic = `Basic ${Buffer.from("user:hunter2").toString("base64")}`;

/** A server that notes what it is asked, and answers with its name, or as `answer` says. */
async function noting(
  name: string,
  asked: Asked[],
  answer: (request: IncomingMessage) => Readonly<Record<string, string>> | undefined = () => ({}),
) {
  return serve((request, response) => {
    request.resume();
    const { host, authorization } = request.headers;
    asked.push({ line: `${name} ${request.method} ${request.url}`, host, login: authorization });
    const headers = answer(request);
    response.writeHead(headers === undefined ? 401 : headers.location ? 302 : 200, headers).end(request.method === "HEAD" ? "" : name);
  });
}

function open(overrides: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { transports, of, warnings } = testTransports(["[network]tries=1", ...overrides], { environment });
  const get = async (url: string): Promise<string> => text((await (await of(url)).get(ref(url))).body);
  const put = async (url: string): Promise<void> => (await of(url)).put(ref(url), uploadOf("real"));
  return { transports, get, put, warnings };
}

const portOf = (url: string): string => new URL(url).port;
const elsewhere = (url: string): readonly string[] => [
  "[auth/images.example.org]host=127.0.0.1",
  `[auth/images.example.org]port=${portOf(url)}`,
];
const login = [
  "[auth/images.example.org]type=basic",
  "[auth/images.example.org]username=user",
  "[auth/images.example.org]password=hunter2",
];
/** The login may go in the clear. */
const insecure = "[auth/images.example.org]insecure=yes";

describe("the host of [auth/HOST]", () => {
  test("is asked in the place of the one in the URL, with the same path, as itself", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked);
    const { get, put } = open(elsewhere(url));
    expect(await get("http://images.example.org/a/b.tar.gz?c=1")).toBe("real");
    await put("http://images.example.org:8080/x.tar.gz");
    expect(asked).toEqual([
      { line: "real GET /a/b.tar.gz?c=1", host: new URL(url).host, login: undefined },
      { line: "real PUT /x.tar.gz", host: new URL(url).host, login: undefined },
      { line: "real HEAD /x.tar.gz", host: new URL(url).host, login: undefined },
    ]);
  });

  test("with a port alone the host stays", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked);
    expect(await open([`[auth/127.0.0.1]port=${portOf(url)}`]).get("http://127.0.0.1:1/a.tar.gz")).toBe("real");
  });

  test("is asked again by a redirect to the host of the URL", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked, ({ url }) => (url === "/a" ? { location: "http://images.example.org/b" } : {}));
    expect(await open(elsewhere(url)).get("http://images.example.org/a")).toBe("real");
    expect(asked.map(({ line }) => line)).toEqual(["real GET /a", "real GET /b"]);
  });

  test("the URL in an error is that of the image", async () => {
    const port = await closedPort();
    const { get } = open(elsewhere(`http://127.0.0.1:${port}`));
    await expect(get("http://images.example.org/a.tar.gz")).rejects.toThrow(
      /^http:\/\/images\.example\.org\/a\.tar\.gz: GET failed: .*ECONNREFUSED/,
    );
  });
});

describe("a login", () => {
  test("is sent with HEAD, GET and PUT: basic", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked);
    const { transports, get, put } = open([...elsewhere(url), ...login]);
    const image = ref("http://images.example.org/a.tar.gz");
    await (await transports.for(image)).probe(image);
    await get(image.url);
    await put(image.url);
    expect(asked.map(({ login }) => login)).toEqual([basic, basic, basic, basic]);
  });

  test("as a token is a bearer's", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked);
    await open(["[auth/127.0.0.1]type=token", "[auth/127.0.0.1]token=hunter2"]).get(`${url}/a`);
    expect(asked[0]?.login).toBe("Bearer hunter2");
  });

  test("stays with its server: redirects within it take it along, those to others do not", async () => {
    const asked: Asked[] = [];
    const other = await noting("other", asked);
    const url = await noting("own", asked, (request) => {
      if (request.url === "/absolute") return { location: `${url}/relative` };
      return request.url === "/relative" ? { location: "/away" } : { location: `${other}/there` };
    });
    expect(await open([...elsewhere(url), ...login]).get("http://images.example.org/absolute")).toBe("other");
    expect(asked.map(({ line, login }) => [line, login])).toEqual([
      ["own GET /absolute", basic],
      ["own GET /relative", basic],
      ["own GET /away", basic],
      // The same address, at another port.
      ["other GET /there", undefined],
    ]);
  });

  test("is not sent again when another server leads back to where it was sent", async () => {
    const asked: Asked[] = [];
    const middle: string = await noting("middle", asked, () => ({ location: `${url}/end` }));
    const url: string = await noting("own", asked, (request) => (request.url === "/end" ? {} : { location: `${middle}/on` }));
    expect(await open(["[auth/127.0.0.1]type=token", "[auth/127.0.0.1]token=hunter2"]).get(`${url}/start`)).toBe("own");
    expect(asked.map(({ line, login }) => [line, login !== undefined])).toEqual([
      ["own GET /start", true],
      ["middle GET /on", false],
      ["own GET /end", true],
    ]);
  });

  test("of another host is not used", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked);
    await open(login).get(`${url}/a`);
    expect(asked[0]?.login).toBeUndefined();
  });

  test("that is refused is told with what to do, and is in no error", async () => {
    const asked: Asked[] = [];
    const url = await noting("real", asked, () => undefined);
    const { get } = open([...elsewhere(url), ...login]);
    const error: unknown = await get("http://images.example.org/a").catch((error: unknown) => error);
    expect(error).toMatchObject({ status: 401, hint: "check the login in [auth/images.example.org] of the configuration" });
    const refused: unknown = await open([...elsewhere(`http://127.0.0.1:${await closedPort()}`), ...login])
      .get("http://images.example.org/a")
      .catch((error: unknown) => error);
    for (const shown of [error, refused].map((error) => inspect(error, { depth: 20, showHidden: true }))) {
      expect(shown).not.toContain("hunter2");
      expect(shown).not.toContain(basic.slice("Basic ".length));
    }
  });

  test("goes over http: to this host itself, elsewhere only where that is allowed, with one warning for each host", async () => {
    const url = await noting("real", []);
    const plain = ref("http://images.example.org/a");
    await expect(open(login).transports.for(plain)).rejects.toMatchObject({
      message: "the login for images.example.org would go over the network in the clear: http://images.example.org is no https: URL",
      hint: "take an https: URL; or allow it, by insecure = yes in [auth/images.example.org] of the configuration",
    });
    await open(login).transports.for(ref("https://images.example.org/a"));
    const { transports, warnings } = open([...login, insecure]);
    for (const path of ["/a", "/b"]) await transports.for(ref(`http://images.example.org${path}`));
    expect(warnings()).toEqual([
      "the login for images.example.org goes over the network in the clear: http://images.example.org is no https: URL",
    ]);
    const local = open([...elsewhere(url), ...login]);
    await local.transports.for(plain);
    expect(local.warnings()).toEqual([]);
  });
});

describe("a proxy", () => {
  test("gets requests for http: URLs whole, with its own login and that for the host", async () => {
    const asked: Asked[] = [];
    const target = await noting("real", asked);
    const proxy = await serveProxy(target);
    const { get, put } = open([...login, insecure], { http_proxy: proxy.url.replace("//", "//me:secret@") });
    expect(await get("http://images.example.org/a.tar.gz?b")).toBe("real");
    await put("http://images.example.org/a.tar.gz");
    const own = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    expect(proxy.proxied).toEqual([
      { line: "GET http://images.example.org/a.tar.gz?b", login: own },
      { line: "PUT http://images.example.org/a.tar.gz", login: own },
      { line: "HEAD http://images.example.org/a.tar.gz", login: own },
    ]);
    expect(asked).toEqual([
      { line: "real GET /a.tar.gz?b", host: "images.example.org", login: basic },
      { line: "real PUT /a.tar.gz", host: "images.example.org", login: basic },
      { line: "real HEAD /a.tar.gz", host: "images.example.org", login: basic },
    ]);
  });

  test("is a tunnel for https: URLs, in which the certificate is verified", async () => {
    const asked: Asked[] = [];
    const proxy = await serveProxy(await noting("real", asked));
    const { get } = open(login, { https_proxy: proxy.url });
    await expect(get("https://images.example.org/a.tar.gz")).rejects.toThrow(/^https:\/\/images\.example\.org\/a\.tar\.gz: GET failed: /);
    expect(proxy.proxied).toEqual([{ line: "CONNECT images.example.org:443", login: undefined }]);
    // Nothing of the request gets out before the server has shown who it is.
    expect(asked).toEqual([]);
  });

  test("is not asked for hosts of no_proxy, for this host, and for the other protocol", async () => {
    const asked: Asked[] = [];
    const url = await noting("direct", asked);
    const proxy = await serveProxy(url);
    const environment = { http_proxy: proxy.url, no_proxy: "example.org" };
    expect(await open(elsewhere(url), environment).get("http://images.example.org/a")).toBe("direct");
    expect(await open([], environment).get(`${url}/a`)).toBe("direct");
    await expect(open([], environment).get("http://no-such-host.example.org/a")).rejects.toThrow(/GET failed/);
    await expect(open([], environment).get("https://no-such-host.invalid/a")).rejects.toThrow(/GET failed/);
    expect(proxy.proxied).toEqual([]);
    expect(await open([], environment).get("http://images.example.net/a")).toBe("direct");
    expect(proxy.proxied).toHaveLength(1);
  });

  test("is asked for where a redirect leads, each time anew", async () => {
    const asked: Asked[] = [];
    const target = await noting("proxied", asked);
    const proxy = await serveProxy(target);
    const url = await noting("direct", asked, () => ({ location: "http://images.example.net/b" }));
    expect(await open([], { http_proxy: proxy.url }).get(`${url}/a`)).toBe("proxied");
    expect(proxy.proxied.map(({ line }) => line)).toEqual(["GET http://images.example.net/b"]);
  });

  test("of the configuration is used, unless proxies are switched off", async () => {
    const proxy = await serveProxy(await noting("real", []));
    const text = `[proxy]proxy_config_text=http_proxy=${proxy.url}`;
    expect(await open([text]).get("http://no-such-host.invalid/a")).toBe("real");
    await expect(open([text, "[proxy]use_host_proxy=no"]).get("http://no-such-host.invalid/a")).rejects.toThrow(/GET failed/);
  });

  test("that wants another login is told, without the one that was sent", async () => {
    const url = await serve((_, response) => void response.writeHead(407).end());
    const { get } = open([], { http_proxy: url.replace("//", "//me:hunter2@") });
    const error: unknown = await get("http://images.example.org/a").catch((error: unknown) => error);
    expect(String(error)).toMatch(/407/);
    expect(inspect(error, { depth: 20 })).not.toMatch(/hunter2|bWU6aHVudGVyMg/);
  });

  test.each([
    [407, /GET failed: the proxy refuses it with HTTP status 407$/, /login in the URL of the proxy/],
    [403, /GET failed: the proxy refuses it with HTTP status 403$/, undefined],
    [502, /GET failed: the proxy refuses it with HTTP status 502 \(tried 2 times\)$/, undefined],
  ])("that refuses a tunnel with %i is told", async (status, message, hint) => {
    const port = await serveTcp((socket) => void socket.once("data", () => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)));
    const { get } = open(["[network]tries=2"], { https_proxy: `http://me:hunter2@127.0.0.1:${port}` });
    const error: unknown = await get("https://images.example.org/a").catch((error: unknown) => error);
    expect(error).toMatchObject({ message: expect.stringMatching(message), hint: hint ? expect.stringMatching(hint) : undefined });
    expect(inspect(error, { depth: 20 })).not.toMatch(/hunter2|bWU6aHVudGVyMg/);
  });

  test("is for downloads or for commands of a build or for both, as it is switched on", async () => {
    const url = await noting("any", []);
    const found = async (...overrides: readonly string[]): Promise<readonly boolean[]> => {
      const { transports } = open(overrides, { http_proxy: url });
      return [await transports.hostProxies(), await transports.machineProxies()].map(({ http }) => http !== undefined);
    };
    expect(await found()).toEqual([true, false]);
    expect(await found("[proxy]use_machine_proxy=yes")).toEqual([true, true]);
    expect(await found("[proxy]use_machine_proxy=yes", "[proxy]use_host_proxy=no")).toEqual([false, true]);
  });

  test("is looked for once, and told if it takes no connection", async () => {
    const { get, warnings } = open([], { http_proxy: `http://127.0.0.1:${await closedPort()}` });
    for (const name of ["a", "b"]) await expect(get(`http://no-such-host.invalid/${name}`)).rejects.toThrow(/GET failed/);
    expect(warnings()).toEqual([expect.stringMatching(/^the proxy http:\/\/127\.0\.0\.1:\d+ is left out: /)]);
  });
});

test("a server that says nothing ends in an error after read_timeout", async () => {
  const url = await serve(() => undefined);
  await expect(open(["[network]read_timeout=0.2"]).get(`${url}/a`)).rejects.toThrow(/\/a: GET failed: no answer came in time/);
});
