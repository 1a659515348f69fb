import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { longTest } from "../support/tries.js";
import { runProgram, sleep } from "./support/build.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, failWith, succeed } from "./support/machine.ts";

let host: DisposableHost;
const proxy = "http://127.0.0.1:13128";
const store = "/srv/nspawn/images";
const keys = "/etc/nspawn/hatch/image-syncer/s3-keys";
const s3Port = 18180;

beforeAll(async () => {
  host = await bootMachineHost("nspawn-hatch-sync");
  await host.shell(`mkdir -p /etc/nspawn ${store}/web; cat > /etc/nspawn/config.ini <<'END'
[hatch/image-proxy]
port = 13128
allowed_networks = 192.0.2.0/24
store_id_rules = ^http://mirror[0-9]\\.test:18480/(.*) http://images.squid.internal/$$1
[hatch/image-syncer]
endpoint = http://127.0.0.1:${s3Port}
bucket = images
exclude = *.tmp
END`);
});
afterAll(async () => {
  await host?.stop();
  await s3?.stop();
  if (s3) rmSync(s3.folder, { recursive: true });
});

const writeKeys = (secret: string) =>
  host.shell(`umask 077; mkdir -p $(dirname ${keys}); printf 'access_key_id = test:tester\\nsecret_access_key = ${secret}\\n' > ${keys}`);

longTest("the proxy serves what it has, knows mirrors of one file, and lets no others in", async () => {
  await succeed(host, ["nspawn-hatch", "ensure", "image-proxy"]);
  await host.shell(`mkdir -p /srv/www /root/bin; head -c 20000000 /dev/urandom > /srv/www/a.tar.gz; printf 'events {} http { access_log /tmp/www.log; server { listen 127.0.0.1:18480; root /srv/www; } }' > /root/nginx.conf; nginx -c /root/nginx.conf >/dev/null 2>&1 >/dev/null 2>&1
printf '127.0.0.1 mirror1.test mirror2.test\\n' >> /etc/hosts; nspawn-enter image-proxy "printf '127.0.0.1 mirror1.test mirror2.test\\n' >> /etc/hosts; squid -k reconfigure"; sleep 1`);
  const get = (url: string) => host.shell(`curl -sS -f -x ${proxy} -o /tmp/got ${url} && cmp /tmp/got /srv/www/a.tar.gz`);
  await get("http://mirror1.test:18480/a.tar.gz");
  await get("http://mirror1.test:18480/a.tar.gz");
  await get("http://mirror2.test:18480/a.tar.gz");
  const log = await host.shell("grep a.tar.gz /var/log/nspawn/image-proxy/access.log");
  expect(log.match(/TCP_\w+\/200/g)).toEqual(["TCP_MISS/200", "TCP_REFRESH_UNMODIFIED/200", "TCP_REFRESH_UNMODIFIED/200"]);
  // The server has sent it once, and only been asked afterwards.
  expect(await host.shell("grep -o '1.1\" [0-9]*' /tmp/www.log | sort | uniq -c | sed 's/^ *//'")).toBe('1 1.1" 200\n2 1.1" 304\n');
  await host.shell("ip addr add 198.51.100.7/32 dev lo");
  expect(
    await host.shell(
      `curl -s -o /dev/null -w '%{http_code}' --interface 198.51.100.7 -x http://198.51.100.7:13128 http://mirror1.test:18480/a.tar.gz`,
    ),
  ).toBe("403");
  expect(await host.shell(`curl -s -o /dev/null -w '%{http_connect}' -x ${proxy} https://mirror1.test:22/ || true`)).toBe("403");
  await host.shell("ip addr del 198.51.100.7/32 dev lo");
});

longTest("a build's apt-get goes through the proxy; the syncer wants its keys first, and copies all there is", async () => {
  await host.shell(`cp /srv/fix/top.tar.gz /srv/fix/base.tar.gz ${store}/web; echo x > ${store}/web/x.tmp; echo x > ${store}/.hidden`);
  expect(await failWith(host, 1, ["nspawn-hatch", "ensure", "image-syncer"])).toContain(`there are no keys: write ${keys}, mode 600`);
  expect(await host.shell("grep -c 'GET http.*rclone_.*deb' /var/log/nspawn/image-proxy/access.log")).toBe("1\n");
  await writeKeys("wrong");
  s3 = await Swift.start();
  await succeed(host, ["nspawn-hatch", "ensure", "image-syncer"]);
  const status = () => host.run(["cat", "/var/log/nspawn/image-syncer/status.json"]).then(({ stdout }) => stdout);
  await expect.poll(status).toMatch(/"failed".*the storage refuses the keys.*next try in 60 s/);
  await writeKeys("testing");
  // No step has changed: only the keys are newer, and the machine is started on them.
  await succeed(host, ["nspawn-hatch", "update", "image-syncer"]);
  await expect.poll(() => s3?.list()).toEqual(["web/base.tar.gz", "web/top.tar.gz"]);
  const unit = await host.must(["cat", "/etc/systemd/system/image-syncer.service"]);
  expect(unit + (await host.shell("tr '\\0' ' ' < /proc/$(pgrep -of image-syncer)/cmdline"))).not.toContain("testing");
});

longTest("changes and deletions follow; a file that is being written, an outage and a kill lose nothing", async () => {
  await host.shell(`rm ${store}/web/base.tar.gz; mkdir -p '${store}/new [1]'; cp /srv/fix/left.tar.gz '${store}/new [1]/a b.tar.gz'`);
  await expect.poll(() => s3?.list()).toEqual(["new [1]/a b.tar.gz", "web/top.tar.gz"]);
  await host.shell(
    `(printf half; until [ -e /tmp/written ]; do sleep 0.1; done; printf whole) > ${store}/web/slow.tar 2> /dev/null & cp /srv/fix/right.tar.gz ${store}/web`,
  );
  await expect.poll(() => s3?.list()).toContain("web/right.tar.gz");
  expect(await s3?.list()).toEqual(["new [1]/a b.tar.gz", "web/right.tar.gz", "web/top.tar.gz"]);
  await host.shell("touch /tmp/written");
  await expect.poll(() => s3?.list()).toContain("web/slow.tar");
  expect(await s3?.read("web/slow.tar")).toBe("halfwhole");

  await s3?.stop();
  await host.shell(`echo changed > ${store}/web/slow.tar; rm ${store}/web/right.tar.gz`);
  await expect.poll(() => host.shell("cat /var/log/nspawn/image-syncer/status.json")).toMatch(/"failed".*cannot be reached/);
  await host.shell("nspawn-enter image-syncer 'systemctl kill --signal=KILL image-syncer'");
  await s3?.start();
  await expect.poll(() => s3?.read("web/slow.tar"), { timeout: 60_000 }).toBe("changed\n");
  // Should a run have come while the storage was half up, the next one waits for a while.
  await expect.poll(() => s3?.list(), { timeout: 120_000 }).toEqual(["new [1]/a b.tar.gz", "web/slow.tar", "web/top.tar.gz"]);
  expect(await host.shell("grep -c Deleted /var/log/nspawn/image-syncer/sync.log")).toBe("2\n");
});

longTest("objects of old files expire, and updates keep the cache", async () => {
  await host.shell(`touch -d '3 days ago' ${store}/web/top.tar.gz`);
  const expiring = ["--config", "[hatch/image-syncer]expire_age=2d"];
  await succeed(host, ["nspawn-hatch", "update", "image-syncer", ...expiring]);
  await expect.poll(() => s3?.list()).toEqual(["new [1]/a b.tar.gz", "web/slow.tar"]);
  expect(await host.shell(`ls ${store}/web/top.tar.gz`)).toBeTruthy();
  await succeed(host, ["nspawn-hatch", "update", "image-proxy", "--config", "[hatch/image-proxy]largest_object=1G"]);
  await host.shell(`curl -sS -f -x ${proxy} -o /tmp/got http://deb.debian.org/debian/dists/bookworm/Release >/dev/null`);
  await host.shell("nspawn-enter image-proxy \"printf '127.0.0.1 mirror1.test\\n' >> /etc/hosts; squid -k reconfigure\"; sleep 1");
  await host.shell(`curl -sS -f -x ${proxy} -o /tmp/got http://mirror1.test:18480/a.tar.gz && cmp /tmp/got /srv/www/a.tar.gz`);
  expect(await host.shell("grep a.tar.gz /var/log/nspawn/image-proxy/access.log | tail -n 1")).toContain("TCP_REFRESH_UNMODIFIED/200");
  expect(await succeed(host, ["nspawn-hatch", "desure", "image-proxy"])).toContain("kept: /var/cache/nspawn/image-proxy/");
  expect(await host.shell("ls /etc/nspawn/config.d")).toBe("");
});

/** OpenStack Swift with its S3 API, on this machine, whose network the host shares. */
class Swift {
  readonly folder = mkdtempSync("/var/tmp/nspawn-swift-");
  #process: ChildProcess | undefined;

  static async start(): Promise<Swift> {
    const swift = new Swift();
    await swift.start();
    return swift;
  }

  async start(): Promise<void> {
    mkdirSync(join(this.folder, "log"), { recursive: true });
    const script = new URL("support/swift.sh", import.meta.url).pathname;
    this.#process = spawn("setpriv", ["--pdeathsig", "TERM", "--", script, this.folder, String(s3Port)], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(`http://127.0.0.1:${s3Port}/`).catch(() => undefined);
      if (answer) return;
      if (this.#process.exitCode !== null || attempt > 600) throw new Error("Swift does not start");
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#process?.once("close", done));
    this.#process?.kill("SIGTERM");
    await closed;
  }

  async list(): Promise<readonly string[]> {
    const text = await this.#rclone("lsf", "--recursive", "--files-only", "s3:images");
    return text.split("\n").filter(Boolean).sort();
  }

  read(path: string): Promise<string> {
    return this.#rclone("cat", `s3:images/${path}`);
  }

  async #rclone(...args: readonly string[]): Promise<string> {
    const settings = { type: "s3", provider: "Other", endpoint: `http://127.0.0.1:${s3Port}`, region: "us-east-1" };
    const all = { ...settings, access_key_id: "test:tester", secret_access_key: "testing" };
    const variables = Object.entries(all).map(([key, value]) => `RCLONE_CONFIG_S3_${key.toUpperCase()}=${value}`);
    return (
      await runProgram(["env", "-i", `PATH=${process.env.PATH}`, "RCLONE_CONFIG=/dev/null", ...variables, "rclone", ...args])
    ).toString();
  }
}

let s3: Swift | undefined;
