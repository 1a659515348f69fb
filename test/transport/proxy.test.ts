import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import { findProxies, isDirect, noProxies, proxyVariables } from "../../src/transport/proxy.js";
import { closedPort, serve } from "../support/server.js";

const configWith = (...overrides: readonly string[]) =>
  loadConfig({ environment: {}, overrides: ["[config]path_list=", ...overrides] }).config;

/** A URL of something that takes connections, as proxies are written in an environment. */
const listening = (): Promise<string> => serve((_, response) => void response.end());

describe("findProxies", () => {
  test("the first that takes a connection is used, and those before are told without their login", async () => {
    const port = await closedPort();
    const works = await listening();
    const told: string[] = [];
    const { proxy } = configWith(`[proxy]proxy_config_text=http_proxy=${works}\nhttps_proxy=${works}`);
    const found = await findProxies(
      proxy,
      { http_proxy: `http://user:hunter2@127.0.0.1:${port}`, https_proxy: `http://127.0.0.1:${port}`, no_proxy: "a" },
      (text) => told.push(text),
    );
    expect(found).toEqual({ http: new URL(works), https: new URL(works), noProxy: "a" });
    expect(told[0]).toMatch(new RegExp(`^the proxy http://127\\.0\\.0\\.1:${port} is left out: .*ECONNREFUSED`));
    expect(told.join()).not.toContain("hunter2");
  });

  test("each protocol has its own, the order is that of proxy_check_list, and the last no_proxy counts", async () => {
    const [one, two] = [await listening(), await listening()];
    const overrides = [`[proxy]proxy_config_text=http_proxy=${two}\nno_proxy=from.config`];
    const environment = { HTTP_PROXY: one, no_proxy: "from.environment" };
    const find = (...more: readonly string[]) => findProxies(configWith(...overrides, ...more).proxy, environment, () => undefined);
    expect(await find()).toEqual({ http: new URL(one), https: undefined, noProxy: "from.config" });
    expect(await find("[proxy]proxy_check_list=config\nroot")).toEqual({
      http: new URL(two),
      https: undefined,
      noProxy: "from.environment",
    });
    expect(await find("[proxy]proxy_check_list=")).toEqual({ http: undefined, https: undefined, noProxy: "" });
  });

  test("a host that does not answer costs socket_timeout", async () => {
    const { proxy } = configWith("[proxy]socket_timeout=0.1");
    const told: string[] = [];
    const started = performance.now();
    // RFC 5737: nobody has this address.
    expect((await findProxies(proxy, { http_proxy: "192.0.2.1:3128" }, (text) => told.push(text))).http).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2000);
    expect(told).toEqual([expect.stringMatching(/^the proxy http:\/\/192\.0\.2\.1:3128 is left out: /)]);
  });

  test("what is no URL is left out, and told by its variable without its value", async () => {
    const told: string[] = [];
    const environment = { https_proxy: "socks5://u:hunter2@127.0.0.1:1", HTTP_PROXY: "socks5://u:hunter2@127.0.0.1:1" };
    const find = (...overrides: readonly string[]) => findProxies(configWith(...overrides).proxy, environment, (text) => told.push(text));
    expect(await find()).toEqual(noProxies);
    expect(told.toSorted()).toEqual([
      "the proxy of the variable HTTP_PROXY is left out: it has no http: or https: URL",
      "the proxy of the variable https_proxy is left out: it has no http: or https: URL",
    ]);
    await find("[proxy]proxy_check_list=config");
    expect(told).toHaveLength(2);
  });
});

describe("isDirect", () => {
  test.each([
    ["http://a.example.org/", "example.org", true],
    ["http://example.org/", ".example.org", true],
    ["http://example.org/", "*.example.org", true],
    ["http://notexample.org/", "example.org", false],
    ["http://example.org:8080/", "other, example.org:8080", true],
    ["http://example.org/", "example.org:8080", false],
    ["https://example.org/", "example.org:443", true],
    ["http://EXAMPLE.org/", "Example.ORG", true],
    ["http://example.org/", "*", true],
    ["http://example.org/", "", false],
    ["http://localhost:80/", "", true],
    ["http://127.1.2.3/", "", true],
    ["http://[::1]:8/", "", true],
    ["http://10.0.0.7/", "10.0.0.7", true],
    ["http://127.0.0.1.example.org/", "", false],
    ["http://10.1.2.3:8080/", "10.0.0.0/8", true],
    ["http://11.1.2.3/", "10.0.0.0/8", false],
    ["http://10.1.2.3/", "10.0.0.0/33", false],
    ["http://10.1.2.3/", "10.0.0.0/x", false],
    ["http://10.example.org/", "10.0.0.0/8", false],
    ["http://[fd00::1]/", "fd00::1", true],
    ["http://[fd00::1]/", "[fd00:0:0::1]", true],
    ["http://[fd00::1]:8080/", "[fd00::1]:8080", true],
    ["http://[fd00::1]:8080/", "[fd00::1]:80", false],
    ["http://[fd00::2]/", "fd00::1", false],
    ["http://[fd00:1::2]/", "a.example.org, fd00::/8", true],
    ["http://[fe80::2]/", "fd00::/8", false],
  ])("%s with no_proxy %j: %s", (url, noProxy, expected) => {
    expect(isDirect(new URL(url), noProxy)).toBe(expected);
  });
});

describe("proxyVariables", () => {
  test("have both spellings", () => {
    const variables = proxyVariables({ http: new URL("http://u:p@proxy.example.org:1"), https: undefined, noProxy: "example.org" });
    expect(variables).toEqual({
      http_proxy: "http://u:p@proxy.example.org:1/",
      HTTP_PROXY: "http://u:p@proxy.example.org:1/",
      no_proxy: "example.org",
      NO_PROXY: "example.org",
    });
  });

  test("without a proxy are none", () => {
    expect(proxyVariables({ ...noProxies, noProxy: "example.org" })).toEqual({});
  });
});
