import { randomBytes, randomInt } from "node:crypto";
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { ref } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { makeCa } from "../support/certificates.js";
import { testTransports } from "../support/http.js";
import { serve, serveProxy, serveTcp, serveTls } from "../support/server.js";
import { tempFolder } from "../support/temp.js";

/** More than all of a connection's memory. */
const content = randomBytes(3_000_000);

/** Writes in pieces of any size, of which several may come at once. */
async function writeInPieces(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const end = at + randomInt(1, 300_000);
    socket.write(bytes.subarray(at, end));
    at = end;
    if (randomInt(3) === 0) await sleep(1);
  }
}

/** A server that answers with these bytes, and closes the connection. */
const answering = (...parts: readonly (Buffer | string)[]): Promise<number> =>
  serveTcp((socket) =>
    socket.once("data", () => void writeInPieces(socket, Buffer.concat(parts.map((part) => Buffer.from(part)))).then(() => socket.end())),
  );

async function get(url: string, overrides: readonly string[] = []): Promise<Buffer> {
  const { of } = testTransports(overrides);
  return bytesOf((await (await of(url)).get(ref(url))).body);
}

const head = `HTTP/1.1 200 OK\r\ncontent-length: ${content.length}\r\n`;

test("a body comes whole, however it is cut, and whatever follows it", async () => {
  for (let round = 0; round < 10; round++) {
    const port = await answering(head, "\r\n", content, round % 2 === 0 ? "" : "HTTP/1.1 200 OK\r\n\r\nmore");
    expect((await get(`http://127.0.0.1:${port}/a.tar.gz`)).equals(content)).toBe(true);
  }
});

/** Reads slowly, and looks at each piece at the last moment. */
async function compareSlowly(url: string, overrides: readonly string[] = []): Promise<void> {
  const { of } = testTransports(overrides);
  const { body } = await (await of(url)).get(ref(url));
  let at = 0;
  for await (const piece of body) {
    await sleep(2);
    if (!piece.equals(content.subarray(at, at + piece.length))) throw new Error(`other bytes from ${at} on`);
    at += piece.length;
  }
  expect(at).toBe(content.length);
}

const giving: RequestListener = (_, response) => void response.setHeader("content-length", content.length).end(content);

/** In records of 512 bytes, of which many come at once. */
const inSmallRecords: RequestListener = (request, response) => {
  (request.socket as TLSSocket).setMaxSendFragment(512);
  giving(request, response);
};

test("the memory of a piece is not written to before the next one is asked for, however long that takes", async () => {
  await compareSlowly(`http://127.0.0.1:${await answering(head, "\r\n", content)}/a.tar.gz`);
});

test("nor is it where there is TLS, which gives all that it has decrypted", async () => {
  const ca = makeCa(tempFolder(), "ca");
  const certificate = ca.issue("localhost");
  for (const listener of [giving, inSmallRecords]) {
    const url = await serveTls(certificate, listener);
    await compareSlowly(`${url}/a.tar.gz`, [`[auth/localhost]ca_file=${ca.certFile}`]);
  }
});

test("so does one in chunks, whose length nobody knows before", async () => {
  const url = await serve((_, response) => {
    for (let at = 0; at < content.length; at += 70_000) response.write(content.subarray(at, at + 70_000));
    response.end();
  });
  expect((await get(`${url}/a.tar.gz`)).equals(content)).toBe(true);
});

test("so does one through TLS, and through proxies with a tunnel and without", async () => {
  const ca = makeCa(tempFolder(), "ca");
  const trust = ["localhost", "server.example.org"].map((host) => `[auth/${host}]ca_file=${ca.certFile}`);
  const direct = await serveTls(ca.issue("localhost"), giving);
  expect((await get(`${direct}/a.tar.gz`, trust)).equals(content)).toBe(true);
  const plain = await serveProxy(await serve(giving));
  const tunnel = await serveProxy(await serveTls(ca.issue("server.example.org"), giving));
  const proxies = [`[proxy]proxy_config_text=http_proxy=${plain.url}\nhttps_proxy=${tunnel.url}\nno_proxy=none.example.org`];
  expect((await get("http://server.example.org/a.tar.gz", proxies)).equals(content)).toBe(true);
  expect((await get("https://server.example.org/a.tar.gz", [...trust, ...proxies])).equals(content)).toBe(true);
  expect([plain.proxied.length, tunnel.proxied.length]).toEqual([1, 1]);
});
