import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ref } from "../support/archive.js";
import { makeCa, type TestCa } from "../support/certificates.js";
import { testTransports } from "../support/http.js";
import { serve, serveProxy, serveTcp, serveTls } from "../support/server.js";
import { makeTempFolder, removeFolder } from "../support/temp.js";

let folder: string;
let ca: TestCa;
let stranger: TestCa;
beforeAll(() => {
  folder = makeTempFolder();
  ca = makeCa(folder, "ca");
  stranger = makeCa(folder, "stranger");
});
afterAll(() => removeFolder(folder));

const hello: RequestListener = (_, response) => void response.end("hello");

function open(overrides: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const opened = testTransports(overrides, { environment });
  return { ...opened, get: async (url: string) => text((await (await opened.of(url)).get(ref(url))).body) };
}

const caFile = (host = "localhost"): string => `[auth/${host}]ca_file=${ca.certFile}`;

describe("the certificate of a server", () => {
  test("of a CA that nobody knows is refused at once, with what to do", async () => {
    const url = await serveTls(ca.issue("localhost"), hello);
    const { get, warnings } = open([]);
    await expect(get(`${url}/a`)).rejects.toMatchObject({
      message: expect.stringMatching(/^https:\/\/localhost:\d+\/a: GET failed: unable to (get|verify)/),
      hint: expect.stringContaining("ca_file in [auth/localhost]"),
    });
    expect(warnings()).toEqual([]);
  });

  test("of the CA in ca_file is good, without a warning", async () => {
    const url = await serveTls(ca.issue("localhost"), hello);
    const { get, warnings } = open([caFile()]);
    expect(await get(`${url}/a`)).toBe("hello");
    expect(warnings()).toEqual([]);
  });

  test("of the CA in NODE_EXTRA_CA_CERTS is good", async () => {
    const url = await serveTls(ca.issue("localhost"), hello);
    expect(await open([], { NODE_EXTRA_CA_CERTS: ca.certFile }).get(`${url}/a`)).toBe("hello");
  });

  test.each<[string, () => ReturnType<TestCa["issue"]>, RegExp]>([
    ["another CA", () => stranger.issue("localhost"), /GET failed: unable to|self.signed/],
    ["another host", () => ca.issue("other.example.org"), /GET failed: .*altnames/],
    ["the past", () => ca.issue("localhost", [-3, -1]), /GET failed: certificate has expired/],
    ["the future", () => ca.issue("localhost", [1, 2]), /GET failed: certificate is not yet valid/],
  ])("of %s is refused, in spite of ca_file", async (_, issue, message) => {
    const url = await serveTls(issue(), hello);
    await expect(open([caFile()]).get(`${url}/a`)).rejects.toThrow(message);
  });

  test("is good for the host that is really asked", async () => {
    const url = await serveTls(ca.issue("localhost"), hello);
    const remapped = ["[auth/images.example.org]host=localhost", `[auth/images.example.org]port=${new URL(url).port}`];
    expect(await open([...remapped, caFile("images.example.org")]).get("https://images.example.org/a")).toBe("hello");
    await expect(open([...remapped, caFile()]).get("https://images.example.org/a")).rejects.toThrow(/unable to/);
  });

  test("is not looked at where the host is insecure, with a warning once for each command and host", async () => {
    const url = await serveTls(stranger.issue("other.example.org", [-3, -1]), hello);
    const { get, warnings } = open(["[auth/localhost]insecure=yes"]);
    expect([await get(`${url}/a`), await get(`${url}/b`)]).toEqual(["hello", "hello"]);
    expect(warnings()).toEqual(["the certificate of localhost is not verified: [auth/localhost] has insecure = yes"]);
  });

  test("is looked at on every other host, also where an insecure one leads there", async () => {
    const other = (await serveTls(stranger.issue("127.0.0.1"), hello)).replace("localhost", "127.0.0.1");
    const url = await serveTls(
      stranger.issue("localhost"),
      (_, response) => void response.writeHead(302, { location: `${other}/b` }).end(),
    );
    await expect(open(["[auth/localhost]insecure=yes"]).get(`${url}/a`)).rejects.toThrow(/unable to|self.signed/);
  });

  test.each([
    ["a CA file", () => [caFile("images.example.org")], () => ca.issue("images.example.org")],
    ["insecure", () => ["[auth/images.example.org]insecure=yes"], () => stranger.issue("other.example.org")],
  ])("in the tunnel of a proxy: %s holds there too", async (_, overrides, issue) => {
    const target = (await serveTls(issue(), hello)).replace("localhost", "127.0.0.1");
    const proxy = await serveProxy(target);
    expect(await open(overrides(), { https_proxy: proxy.url }).get("https://images.example.org/a")).toBe("hello");
    expect(proxy.proxied).toEqual([{ line: "CONNECT images.example.org:443", login: undefined }]);
  });

  test("of an https: proxy has to be good too, by the CAs of the system alone", async () => {
    const proxy = await serveProxy(await serve(hello), ca.issue("localhost"));
    const trusting = open([], { http_proxy: proxy.url.replace("//", "//me:a%40b@"), NODE_EXTRA_CA_CERTS: ca.certFile });
    expect(await trusting.get("http://images.example.org/a")).toBe("hello");
    const login = `Basic ${Buffer.from("me:a@b").toString("base64")}`;
    expect(proxy.proxied).toEqual([{ line: "GET http://images.example.org/a", login }]);
    const others = open([caFile("images.example.org")], { http_proxy: proxy.url });
    await expect(others.get("http://images.example.org/a")).rejects.toThrow(/GET failed: unable to/);
    expect(proxy.proxied).toHaveLength(1);
  });

  test("in the tunnel of an https: proxy is good for the server alone", async () => {
    const target = (await serveTls(stranger.issue("images.example.org"), hello)).replace("localhost", "127.0.0.1");
    const proxy = await serveProxy(target, ca.issue("localhost"));
    const environment = { https_proxy: proxy.url, NODE_EXTRA_CA_CERTS: ca.certFile };
    await expect(open([], environment).get("https://images.example.org/a")).rejects.toThrow(/GET failed: unable to/);
    const known = [`[auth/images.example.org]ca_file=${stranger.certFile}`];
    expect(await open(known, environment).get("https://images.example.org/a")).toBe("hello");
  });

  test("of an address is good for that address, with and without a tunnel", async () => {
    const url = (await serveTls(ca.issue("127.0.0.1"), hello)).replace("localhost", "127.0.0.1");
    expect(await open([caFile("127.0.0.1")]).get(`${url}/a`)).toBe("hello");
    const target = (await serveTls(ca.issue("10.0.0.7"), hello)).replace("localhost", "127.0.0.1");
    const proxy = await serveProxy(target);
    const environment = { https_proxy: proxy.url };
    expect(await open([caFile("10.0.0.7")], environment).get("https://10.0.0.7/a")).toBe("hello");
    await expect(open([caFile("10.0.0.8")], environment).get("https://10.0.0.8/a")).rejects.toThrow(/GET failed: .*not in the cert/);
  });

  test.each([
    ["that is not there", "none.pem", undefined, /ENOENT/],
    ["without a certificate", "empty.pem", "text", /no certificate in PEM/],
    ["with a broken one", "broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", /cannot be used: ./],
  ])("a ca_file %s is an error that names it, and where it was given", async (_, name, content, message) => {
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    const error: unknown = await open([`[auth/localhost]ca_file=${file}`])
      .get("https://localhost:1/a")
      .catch((error: unknown) => error);
    expect(String(error)).toContain(`: --config '[auth/localhost]ca_file': the ca_file ${file} cannot be used: `);
    expect(String(error)).toMatch(message);
  });
});

describe("redirects", () => {
  test("from https: to http: are refused", async () => {
    const plain = await serve(hello);
    const url = await serveTls(
      ca.issue("localhost"),
      (_, response) => void response.writeHead(302, { location: `${plain}/b?secret=1` }).end(),
    );
    await expect(open([caFile()]).get(`${url}/a`)).rejects.toMatchObject({
      message: `${url}/a: ${url}/a redirects to ${plain}/b?…: from https: only https: is followed`,
      hint: expect.stringContaining("https:"),
    });
  });

  test("from http: to https: are followed, without the login for http:", async () => {
    const logins: (string | undefined)[] = [];
    const secure = await serveTls(ca.issue("localhost"), (request, response) => {
      logins.push(request.headers.authorization);
      response.end("hello");
    });
    const url = (await serve((_, response) => void response.writeHead(301, { location: `${secure}/b` }).end())).replace(
      "127.0.0.1",
      "localhost",
    );
    expect(await open([caFile(), "[auth/localhost]type=token", "[auth/localhost]token=t"]).get(`${url}/a`)).toBe("hello");
    expect(logins).toEqual([undefined]);
  });
});

describe("a connection", () => {
  test("that is reset in the handshake is tried again", async () => {
    const target = new URL(await serveTls(ca.issue("localhost"), hello));
    let connections = 0;
    const { connect } = await import("node:net");
    const port = await serveTcp((socket) => {
      if (++connections < 3) return void socket.once("data", () => socket.resetAndDestroy());
      const onward = connect(Number(target.port), "127.0.0.1").on("error", () => undefined);
      socket.pipe(onward).pipe(socket);
    });
    const { get, warnings } = open([caFile()]);
    expect(await get(`https://localhost:${port}/a`)).toBe("hello");
    expect(warnings()).toHaveLength(2);
  });

  test("whose handshake stalls ends after connect_timeout", async () => {
    const port = await serveTcp(() => undefined);
    await expect(open(["[network]connect_timeout=0.3", "[network]tries=2"]).get(`https://localhost:${port}/a`)).rejects.toThrow(
      /no connection was taken in time.*\(tried 2 times\)/,
    );
  });

  test("whose tunnel stalls ends after connect_timeout", async () => {
    const port = await serveTcp(() => undefined);
    const { get } = open(["[network]connect_timeout=0.3", "[network]tries=2"], { https_proxy: `http://127.0.0.1:${port}` });
    await expect(get("https://images.example.org/a")).rejects.toThrow(/\(tried 2 times\)/);
  });
});
