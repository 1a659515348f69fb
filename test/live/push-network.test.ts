import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCa } from "../support/certificates.js";
import { type Ended, Lab, sleep } from "./support/build.js";
import { Nginx } from "./support/nginx.js";

const lab = new Lab();
const password = "hunter2-of-images";
let nginx: Nginx;
let config: string;

beforeAll(async () => {
  chmodSync(lab.folder, 0o755);
  const folder = join(lab.folder, "web");
  mkdirSync(folder);
  const ca = makeCa(folder);
  nginx = await Nginx.start(folder, { certificate: ca.issue("localhost"), username: "builder", password });
  writeFileSync(join(nginx.root, "busybox.tar.gz"), readFileSync(new URL(lab.busybox)));
  config = join(lab.folder, "config.ini");
  const text = `[auth/localhost]\ntype = basic\nusername = builder\npassword = ${password}\nca_file = ${ca.certFile}\n`;
  writeFileSync(config, text, { mode: 0o600 });
});
afterAll(async () => {
  await nginx.stop();
  lab.remove();
});

const env = (extra: Readonly<Record<string, string>> = {}) => ({
  NSPAWN_CONFIG_PATH_LIST: config,
  NSPAWN_NETWORK_RETRY_PAUSE: "0.3",
  ...extra,
});

/** Hosts that pull the image have to reach its parent too. */
const start = (): string => `PULL("${nginx.url}/busybox.tar.gz");`;

const push = (name: string, content: string, extra: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  lab.run(`IMAGE("${nginx.url}/${name}"); ${start()} SH("echo ${content} > /etc/content"); PUSH();`, { env: env(extra) });

const served = (name: string): Buffer => readFileSync(join(nginx.root, name));

test("an image is pushed over TLS with a login, into a folder that was not there, and pulled from there", async () => {
  const pushed = await push("new/folder/a.tar.gz", "one");
  expect(pushed.code, pushed.stderr).toBe(0);
  expect(pushed.stderr).toBe("");
  const store = join(lab.folder, "other-store");
  const out = `IMAGE("${lab.url("out.tar.gz")}"); PULL("${nginx.url}/new/folder/a.tar.gz"); SH("cat /etc/content"); PUSH();`;
  expect((await lab.build(out, { env: env(), store })).output).toEqual(["one"]);
  const again = await push("new/folder/a.tar.gz", "two");
  expect(again.code, again.stderr).toBe(0);
  expect((await lab.build(out, { env: env(), store })).output).toEqual(["two"]);
});

test("a push that is refused says what to do, and leaves what was there", async () => {
  const pushed = await push("kept.tar.gz", "one");
  expect(pushed.code, pushed.stderr).toBe(0);
  const before = served("kept.tar.gz");
  const wrong = join(lab.folder, "wrong.ini");
  writeFileSync(wrong, readFileSync(config, "utf8").replace(password, "wrong"), { mode: 0o600 });
  const refused = await push("kept.tar.gz", "two", { NSPAWN_CONFIG_PATH_LIST: wrong });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/HTTP status 401 Unauthorized to PUT[\s\S]*check the login in \[auth\/localhost\]/);
  expect(refused.stderr).not.toContain("warning");
  expect(served("kept.tar.gz").equals(before)).toBe(true);
  const large = await push("small/a.tar.gz", randomBytes(3000).toString("hex"));
  expect(large.stderr).toMatch(/HTTP status 413 .* to PUT[\s\S]*client_max_body_size/);
  expect(existsSync(join(nginx.root, "small"))).toBe(false);
});

test("a push that nginx dies under is tried again, and nothing half is ever there", async () => {
  const random = randomBytes(40_000_000);
  const { ended } = lab.start(`IMAGE("${nginx.url}/big.tar.gz"); ${start()} COPY({ source: "random", target: "/random" }); PUSH();`, {
    env: env(),
    files: { random },
  });
  const uploading = (): boolean => readdirSync(join(lab.folder, "web/body")).length > 0;
  while (!uploading()) await sleep(2);
  await nginx.stop();
  expect(existsSync(join(nginx.root, "big.tar.gz"))).toBe(false);
  await nginx.start();
  const { code, stderr } = await ended;
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/warning: .*big\.tar\.gz: .*; next try in/);
  expect(served("big.tar.gz").length).toBeGreaterThan(random.length);
});
