import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { findAmazonInstance, findPublicAddress } from "../../../src/dsl/tool/public-address.js";

/** A server on the loopback that ends with the test; gives its base URL. */
async function serve(answer: RequestListener): Promise<string> {
  return listen(createServer(answer));
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  onTestFinished(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port where nobody listens. */
async function deadPort(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}`;
}

const says = (text: string, status = 200): Promise<string> => serve((_, response) => void response.writeHead(status).end(text));
const find = (...urls: readonly string[]): Promise<string | undefined> => findPublicAddress({ urls, timeoutSeconds: 2 });

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

describe("findPublicAddress", () => {
  test.each(["192.0.2.7", "  192.0.2.7\r\n", "2001:db8::7\n"])("the answer %j is an address", async (text) => {
    expect(await find(await says(text))).toBe(text.trim());
  });

  test.each(["", "<html>192.0.2.7</html>", "192.0.2.700", "192.0.2.7 192.0.2.8", '{"ip":"192.0.2.7"}', "localhost", "7"])(
    "the answer %j is none",
    async (text) => {
      expect(await find(await says(text))).toBeUndefined();
    },
  );

  test("an error is no answer, even with an address in it", async () => {
    expect(await find(await says("192.0.2.7", 503))).toBeUndefined();
  });

  test("servers are asked in order, until one answers properly", async () => {
    const asked: string[] = [];
    const server = async (name: string, text: string): Promise<string> =>
      serve((_, response) => {
        asked.push(name);
        response.end(text);
      });
    const urls = [
      await deadPort(),
      await server("garbage", "hello"),
      await server("good", "192.0.2.7"),
      await server("never", "192.0.2.8"),
    ];
    expect(await find(...urls)).toBe("192.0.2.7");
    expect(asked).toEqual(["garbage", "good"]);
  });

  test("no servers, dead ones and wrong URLs give nothing", async () => {
    expect(await find()).toBeUndefined();
    expect(await find(await deadPort())).toBeUndefined();
    expect(await find("no URL", "ftp://127.0.0.1/", "http://no-such-host.invalid/")).toBeUndefined();
  });

  const slow: Readonly<Record<string, () => Promise<string>>> = {
    "never answers": () => serve(() => undefined),
    "takes connections, and says nothing": () => listen(createTcpServer(() => undefined)),
    "stops in the middle of the headers": () => listen(createTcpServer((socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Le"))),
    "stops in the middle of the body": () => serve((_, response) => void response.writeHead(200, { "Content-Length": "9" }).write("192.0")),
    "sends a byte now and then": () =>
      serve((_, response) => {
        const timer = setInterval(() => response.write("1"), 50);
        response.on("close", () => clearInterval(timer));
      }),
    "sends one on to itself": () => serve((_, response) => void setTimeout(() => response.writeHead(302, { Location: "/" }).end(), 50)),
  };
  test.each(Object.keys(slow))("a server that %s costs no more than the time-out", async (kind) => {
    const urls = [await (slow[kind]?.() ?? ""), await says("192.0.2.7")];
    const took = await seconds(async () => expect(await findPublicAddress({ urls, timeoutSeconds: 0.3 })).toBe("192.0.2.7"));
    expect(took).toBeGreaterThan(0.25);
    expect(took).toBeLessThan(2);
  });

  test("an answer without end is cut", async () => {
    let sent = 0;
    const endless = await serve((_, response) => {
      const chunk = Buffer.alloc(1 << 16, "1");
      const more = (): void => {
        do sent += chunk.length;
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    });
    const took = await seconds(async () => expect(await find(endless, await says("192.0.2.7"))).toBe("192.0.2.7"));
    expect(took).toBeLessThan(1.5);
    expect(sent).toBeLessThan(64 << 20);
  });

  test("a long answer that begins with an address is none", async () => {
    expect(await find(await says(`192.0.2.7${" ".repeat(1000)}`))).toBeUndefined();
  });
});

describe("findAmazonInstance", () => {
  /** The metadata service: a token by PUT, and nothing without it. */
  function metadata(address: string | undefined, tokens = true): RequestListener {
    return ({ method, url, headers }, response) => {
      if (url === "/latest/api/token" && tokens) {
        const right = method === "PUT" && Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]) > 0;
        response.writeHead(right ? 200 : 400).end(right ? "AQAE-token==" : "");
      } else if (url === "/latest/meta-data/public-ipv4" && method === "GET") {
        const allowed = !tokens || headers["x-aws-ec2-metadata-token"] === "AQAE-token==";
        response.writeHead(allowed ? (address === undefined ? 404 : 200) : 401).end(allowed ? (address ?? "") : "");
      } else response.writeHead(404).end();
    };
  }

  test("with a token it tells the address", async () => {
    expect(await findAmazonInstance(2, await serve(metadata("192.0.2.9")))).toEqual({ publicAddress: "192.0.2.9" });
  });

  test("an instance without a public address is one", async () => {
    expect(await findAmazonInstance(2, await serve(metadata(undefined)))).toEqual({ publicAddress: undefined });
    expect(await findAmazonInstance(2, await serve(metadata("nothing")))).toEqual({ publicAddress: undefined });
  });

  test("a service without tokens is another's, and is not asked for more", async () => {
    expect(await findAmazonInstance(2, await serve(metadata("192.0.2.9", false)))).toBeUndefined();
    expect(await findAmazonInstance(2, await says("<html>welcome to\nthis network</html>"))).toBeUndefined();
    expect(await findAmazonInstance(2, await says(""))).toBeUndefined();
    expect(await findAmazonInstance(2, await deadPort())).toBeUndefined();
  });

  test("token and address together cost no more than the time-out", async () => {
    const base = await serve((request, response) => void setTimeout(() => metadata("192.0.2.9")(request, response), 300));
    const took = await seconds(async () => expect(await findAmazonInstance(0.5, base)).toEqual({ publicAddress: undefined }));
    expect(took).toBeLessThan(0.9);
  });
});
