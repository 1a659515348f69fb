import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../src/base/byte-source.js";
import type { Event } from "../../src/base/events.js";
import { LocalHost } from "../../src/host/local.js";
import { downloadArchive, startingAnew } from "../../src/image/download.js";
import { ChangedError } from "../../src/transport/failure.js";
import type { Download, Transport } from "../../src/transport/transport.js";
import { ref } from "../support/archive.js";
import { bytesOf } from "../support/byte-source.js";
import { type Fault, faultyServer, type Served } from "../support/faulty-server.js";
import { testTransports } from "../support/http.js";

const image = ref("https://images.example.org/a.tar.gz");

const sha256 = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Reads an archive, and says what came, as extracting it does. */
async function take(body: ByteSource) {
  const content = await bytesOf(body);
  return { content, bytes: content.length, digest: sha256(content) };
}

/** A transport that gives one thing. */
function giving(download: Partial<Download> & { readonly content: string }): Transport {
  const whole = { body: Readable.from([Buffer.from(download.content)]), bytes: undefined, validators: {}, ...download };
  return { get: () => Promise.resolve(whole), probe: () => Promise.resolve({}), put: () => Promise.resolve() };
}

function download(transport: Transport, of = image) {
  return downloadArchive({ host: new LocalHost(), report: () => undefined }, transport, of, take);
}

describe("downloadArchive", () => {
  test("gives what was read, with the validators", async () => {
    const validators = { digest: sha256(Buffer.from("abc")) };
    expect(await download(giving({ content: "abc", bytes: 3, validators }))).toMatchObject({ bytes: 3, validators });
  });

  test("checks the length that was announced", async () => {
    for (const bytes of [2, 4])
      await expect(download(giving({ content: "abc", bytes }))).rejects.toThrow(`3 bytes came, ${bytes} were announced`);
  });

  test("checks the digest that the server names, if it is one", async () => {
    const named = sha256(Buffer.from("other"));
    await expect(download(giving({ content: "abc", validators: { digest: named } }))).rejects.toThrow(
      `what came has the digest ${sha256(Buffer.from("abc"))}, and the server says it is ${named}`,
    );
    await download(giving({ content: "abc", validators: { digest: sha256(Buffer.from("abc")).toUpperCase().replace("SHA", "sha") } }));
    await download(giving({ content: "abc", validators: { digest: "md5:abc" } }));
  });

  test("tells why what it reads broke off", async () => {
    const body = new Readable({ read: () => undefined });
    setTimeout(() => body.destroy(new Error("cable")), 10);
    await expect(download(giving({ content: "", body }))).rejects.toThrow(`${image.written}: the download broke off: cable`);
  });
});

describe("startingAnew", () => {
  const [one, two] = [randomBytes(200_000), randomBytes(200_000)];

  /** A download that starts anew where it has to, from a server that breaks off. */
  async function whole(served: (get: number) => Served, faults: readonly (readonly Fault[])[]) {
    const server = await faultyServer(served, faults);
    const transport = await testTransports().of(server.url);
    const warnings: string[] = [];
    const report = (event: Event): void => void (event.kind === "warning" && warnings.push(event.text));
    const taken = await startingAnew(report, () => downloadArchive({ host: new LocalHost(), report }, transport, ref(server.url), take));
    return { ...taken, warnings };
  }

  test.each([
    ["ETags", { etag: '"1"' }, { etag: '"2"' }],
    ["nothing that tells the versions apart", {}, {}],
  ])("gets a file that changed in the middle as it is now, by a server with %s", async (_, before, after) => {
    const { content, warnings } = await whole(
      (get) => (get > 1 ? { content: two, headers: after } : { content: one, headers: before }),
      [[{ kind: "cut", at: 100_000 }]],
    );
    expect(content.equals(two)).toBe(true);
    expect(warnings.at(-1)).toMatch(/cannot go on: .*; it starts anew$/);
  });

  test("gives up where the file changes each time", async () => {
    const cut: Fault[] = [{ kind: "cut", at: 100_000 }];
    const versions = (get: number): Served => ({ content: one, headers: { etag: `"${get}"` } });
    await expect(whole(versions, Array<Fault[]>(20).fill(cut))).rejects.toBeInstanceOf(ChangedError);
  });

  test("does nothing again for another error", async () => {
    let calls = 0;
    const work = () => {
      calls++;
      return Promise.reject(new Error("broken"));
    };
    await expect(startingAnew(() => undefined, work)).rejects.toThrow("broken");
    expect(calls).toBe(1);
  });
});
