import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCa, type TestCa } from "../support/certificates.js";
import { type Ended, Lab, nspawnSetup, runProgram, Sandbox, sleep } from "./support/build.js";
import { Nginx } from "./support/nginx.js";

const lab = new Lab();
const password = "hunter2-of-images";
const token = "hunter2-token";
const secrets = [password, token, Buffer.from(`builder:${password}`).toString("base64"), "hunter2"];
let ca: TestCa;
let nginx: Nginx;
/** Configuration with the logins. */
let config: string;
let big: Buffer;

beforeAll(async () => {
  const folder = join(lab.folder, "web");
  mkdirSync(folder);
  // nginx may run as another user, who has to get through.
  chmodSync(lab.folder, 0o755);
  ca = makeCa(folder);
  nginx = await Nginx.start(folder, { certificate: ca.issue("localhost"), username: "builder", password, more: "limit_rate 8m;" });
  config = configFile("config.ini", `[auth/localhost]\ntype = basic\nusername = builder\npassword = ${password}\nca_file = ${ca.certFile}`);
  // An image from elsewhere has no parents on this host.
  writeFileSync(join(nginx.root, "busybox.tar.gz"), readFileSync(new URL(lab.busybox)));
  const start = `PULL("${nginx.url}/busybox.tar.gz");`;
  await lab.build(`IMAGE("${lab.url("small.tar.gz")}"); ${start} SH("echo small > /etc/small"); PUSH();`, { env: env() });
  writeFileSync(join(lab.folder, "random"), randomBytes(20_000_000));
  await lab.build(`IMAGE("${lab.url("big.tar.zst")}"); ${start} COPY({ source: "random", target: "/random" }); PUSH();`, {
    env: env(),
    files: { random: readFileSync(join(lab.folder, "random")) },
  });
  big = readFileSync(lab.archive("big.tar.zst"));
  for (const name of ["small.tar.gz", "big.tar.zst"]) writeFileSync(join(nginx.root, name), readFileSync(lab.archive(name)));
});
afterAll(async () => {
  await nginx.stop();
  lab.remove();
});

function configFile(name: string, text: string): string {
  const path = join(lab.folder, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

const script = (url: string): string => `IMAGE("${lab.url("out.tar.gz")}"); PULL("${url}"); RUN(["true"]); PUSH();`;

const env = (extra: Readonly<Record<string, string>> = {}) => ({
  NSPAWN_CONFIG_PATH_LIST: config,
  NSPAWN_NETWORK_RETRY_PAUSE: "0.3",
  ...extra,
});

/** A build with a store of its own that pulls one image. */
let stores = 0;
const pulling = (url: string, extra: Readonly<Record<string, string>> = {}, options: readonly string[] = []) =>
  lab.start(script(url), { store: join(lab.folder, `store-${++stores}`), env: env(extra), options });

const bytesIn = async (path: string): Promise<number> => Number((await runProgram(["du", "-sb", path])).toString().split("\t")[0]);

describe("a pull from nginx", () => {
  test("that nginx dies under goes on where it broke off, when it is there again", async () => {
    const { ended } = pulling(`${nginx.url}/big.tar.zst`);
    const tempdir = join(lab.folder, `store-${stores}`, "tempdir");
    while (!((await bytesIn(tempdir).catch(() => 0)) > 4_000_000)) await sleep(20);
    await nginx.stop();
    await nginx.start();
    const { code, stderr } = await ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/warning: .*big\.tar\.zst: .*broke.*; next try in 0\.\d s \(2 of 5\)/);
    const layer = lab.layer(lab.archive("big.tar.zst"), join(lab.folder, `store-${stores}`));
    expect(readFileSync(join(layer, "random")).equals(readFileSync(join(lab.folder, "random")))).toBe(true);
    // The second request asked for the rest only.
    const log = readFileSync(join(lab.folder, "web/access.log"), "utf8");
    const [, sent] = /"GET \/big\.tar\.zst HTTP\/1\.1" 206 (\d+)/.exec(log) ?? [];
    expect(Number(sent)).toBeLessThan(big.length);
  });

  test("is refused without the CA, or with a wrong login, in words that say what to do", async () => {
    const none = await pulling(`${nginx.url}/small.tar.gz`, { NSPAWN_CONFIG_PATH_LIST: "" }).ended;
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("ca_file in [auth/localhost]");
    const wrong = configFile("wrong.ini", `[auth/localhost]\ntype = token\ntoken = ${token}\nca_file = ${ca.certFile}`);
    const refused = await pulling(`${nginx.url}/private/a.tar.gz`, { NSPAWN_CONFIG_PATH_LIST: wrong }).ended;
    expect(refused.stderr).toMatch(/HTTP status 401 Unauthorized to GET[\s\S]*check the login in \[auth\/localhost\]/);
  });

  test("of an insecure host warns, once", async () => {
    const insecure = configFile("insecure.ini", "[auth/localhost]\ninsecure = yes");
    const { code, stderr } = await pulling(`${nginx.url}/small.tar.gz`, { NSPAWN_CONFIG_PATH_LIST: insecure }).ended;
    expect(code, stderr).toBe(0);
    expect(stderr.match(/warning: the certificate of localhost is not verified/g)).toHaveLength(1);
  });
});

describe("a login", () => {
  let server: Server;
  let origin: string;
  let answer: RequestListener;
  const asked: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.headers.authorization ?? "");
      answer(request, response);
    });
    await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
    origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function expectNoSecret(text: string, where: string): void {
    for (const secret of secrets) expect(text.includes(secret), `${where} has ${secret}`).toBe(false);
  }

  const output = ({ stdout, stderr }: Ended): string => `${stdout}\n${stderr}`;

  test("is in no argument and no environment of any program, while a download is under way", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": String(big.length), etag: '"x"' }).write(big.subarray(0, 5_000_000));
    };
    const sandbox = await Sandbox.open();
    try {
      const store = join(lab.folder, "store-argv");
      const running = lab.start(script(`${origin}/big.tar.zst`), { store, env: env(), within: sandbox.within, options: ["--verbose"] });
      let early: Ended | undefined;
      const ended = running.ended.then((result) => {
        early = result;
        return result;
      });
      while (!((await bytesIn(join(store, "tempdir")).catch(() => 0)) > 3_000_000)) {
        expect(early && output(early)).toBeUndefined();
        await sleep(20);
      }
      const processes = sandbox.processes();
      expect(processes.some(({ command }) => /zstd|tar/.test(command))).toBe(true);
      // Some end while they are looked at, such as those that sync.
      const found = await runProgram([...sandbox.within, "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ || true"]);
      expectNoSecret(found.toString("latin1"), "a process");
      expect(asked).toContain(`Basic ${Buffer.from(`builder:${password}`).toString("base64")}`);
      await sandbox.signal("INT", running.script);
      expectNoSecret(output(await ended), "the output");
      expectNoSecret((await runProgram(["sh", "-c", 'grep -r . "$1" || true', "sh", store])).toString("latin1"), "the store");
    } finally {
      await sandbox.close();
    }
  }, 60_000);

  test.each<[string, RequestListener]>([
    ["401", (_, response) => void response.writeHead(401).end()],
    ["503", (_, response) => void response.writeHead(503).end()],
    ["a reset", (request) => request.socket.resetAndDestroy()],
    ["no HTTP", (request) => void request.socket.end("what?\r\n\r\n")],
    ["a redirect with a login", (_, response) => void response.writeHead(302, { location: "ftp://me:hunter2@example.org/?hunter2" }).end()],
    [
      "a body that breaks off",
      (_, response) => void response.writeHead(200, { "content-length": "1000", etag: '"x"' }).write("x", () => response.destroy()),
    ],
  ])("is in no error, log or record: the server answers with %s", async (_, listener) => {
    answer = listener;
    for (const options of [["--verbose"], ["--json"], ["--plan"]]) {
      const ended = await pulling(`${origin}/big.tar.zst`, { NSPAWN_NETWORK_RETRY_PAUSE: "0.01" }, options).ended;
      expect(ended.code, output(ended)).toBe(1);
      expect(output(ended)).toContain("big.tar.zst");
      expectNoSecret(output(ended), options.join());
    }
    const records = await runProgram(["sh", "-c", 'grep -r . "$1"/store-*/record || true', "sh", lab.folder]);
    expectNoSecret(records.toString("latin1"), "a record");
  });

  test("is in no unit", async () => {
    const image = `${nginx.url}/small.tar.gz`;
    const path = join(lab.folder, "setup.ts");
    writeFileSync(path, `import { IMAGE, MACHINE } from "nspawn/setup";\nIMAGE("${image}"); MACHINE("web");\n`);
    const plan = await runProgram([
      "env",
      "-i",
      "PATH=/usr/bin:/bin:/usr/sbin:/sbin",
      "HOME=/root",
      `NSPAWN_STORAGE_ROOT=${lab.store}`,
      `NSPAWN_CONFIG_PATH_LIST=${config}`,
      nspawnSetup,
      "--plan",
      path,
    ]);
    expect(plan.toString()).toContain("ExecStart=");
    expectNoSecret(plan.toString(), "the plan");
  });

  test("in the URL of an image is refused", async () => {
    const ended = await pulling(`http://me:hunter3@localhost/a.tar.gz`).ended;
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("a URL with a login in it would end up in images and logs");
  });
});
