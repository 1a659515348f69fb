import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { longTest } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, buildScript, failWith, leaderOf, setupScript, succeed, writeScript } from "./support/machine.ts";

let host: DisposableHost;
/** A host with a name and a store of its own, which knows of the server what its administrator has told it. */
let other: DisposableHost;
const own = "/etc/nspawn/hatch/image-server";
const url = "https://images.test:8443";
const curl = `curl -sS --cacert ${own}/ca.crt --resolve images.test:8443:127.0.0.1`;

beforeAll(async () => {
  [host, other] = await Promise.all([bootMachineHost("nspawn-hatch-server"), bootMachineHost("nspawn-hatch-other")]);
  await host.shell(`mkdir -p /etc/nspawn; cat > /etc/nspawn/config.ini <<'END'
[hatch/image-server]
host_name = images.test
https_port = 8443
http_port = 8482
upload_limit = 1G
END`);
  await succeed(host, ["nspawn-hatch", "ensure", "image-server"]);
});
afterAll(async () => {
  await Promise.all([host?.stop(), other?.stop()]);
});

const password = async (): Promise<string> => (await host.shell(`sed -n 's/^password = //p' ${own}/config.ini`)).trim();
/** Runs curl with the login in a file, and gives the HTTP status. */
const status = async (args: string, login = true): Promise<string> => {
  const user = login ? `-K ${"/root/login"}` : "";
  await host.shell(`umask 077; printf 'user = "nspawn:%s"\\n' '${await password()}' > /root/login`);
  return (await host.shell(`${curl} ${user} -o /tmp/body -w '%{http_code}' ${args}`)).trim();
};

longTest("what is pushed here is pulled and run by another host, over TLS, and nothing is readable by others", async () => {
  await host.shell(`${curl} -K - -T /srv/fix/rootfs.tar.gz ${url}/plain/rootfs.tar.gz`, { input: `user = "nspawn:${await password()}"\n` });
  const build = buildScript(
    `IMAGE("${url}/web/top.tar.zst");`,
    `PULL("${url}/plain/rootfs.tar.gz");`,
    "SH('echo top > /etc/top'); PUSH();",
  );
  await succeed(host, ["nspawn-build", await writeScript(host, "/root/b/build.ts", build)]);

  const setup = setupScript(`IMAGE("${url}/web/top.tar.zst");`, 'MACHINE("m-top");', 'EXEC(["sleep", "600"]);');
  const script = await writeScript(other, "/root/s/setup.ts", setup);
  const auth = (ca: string, login: string) =>
    `[auth/images.test]\nhost = localhost\nca_file = ${ca}\ntype = basic\nusername = nspawn\npassword = ${login}\n`;
  const configure = async (ca: string, login: string) =>
    other.must(["sh", "-ec", "mkdir -p /etc/nspawn; umask 077; cat > /etc/nspawn/config.ini"], { input: auth(ca, login) });
  await other.must(["sh", "-c", "cat > /etc/ca.crt"], { input: await host.must(["cat", `${own}/ca.crt`]) });
  await other.shell(
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout /dev/null -out /etc/wrong.crt 2>/dev/null",
  );
  await configure("/etc/wrong.crt", await password());
  expect(await failWith(other, 1, [script])).toContain("certificate");
  await configure("/etc/ca.crt", "wrong");
  expect(await failWith(other, 1, [script])).toContain("401");
  await configure("/etc/ca.crt", await password());
  await succeed(other, [script]);
  expect(await other.must(["nspawn-enter", "m-top", "cat /etc/top"])).toBe("top\n");

  const secret = await password();
  expect(secret.length).toBeGreaterThanOrEqual(32);
  expect(await host.shell("stat -c '%a %n' ca.key config.ini tls tls/server.pem", { cwd: own })).toBe(
    "600 ca.key\n600 config.ini\n700 tls\n600 tls/server.pem\n",
  );
  expect(
    (
      await host.run([
        "grep",
        "-rlF",
        secret,
        "/etc/systemd",
        "/etc/nspawn",
        "/var/log/nspawn",
        "/usr/local/lib/node_modules/nspawn/services",
      ])
    ).stdout,
  ).toBe(`${own}/config.ini\n`);
});

longTest("GET and HEAD have ranges and ETags; who has no login, sends no TLS, or wants out of the folder is refused", async () => {
  expect(await status(`-I ${url}/plain/rootfs.tar.gz`)).toBe("200");
  expect(await host.shell("grep -ciE '^(etag|accept-ranges: bytes|content-length)' /tmp/body")).toBe("3\n");
  expect(await status(`-r 0-9 ${url}/plain/rootfs.tar.gz`)).toBe("206");
  expect(await host.shell("stat -c %s /tmp/body")).toBe("10\n");
  const etag = (await host.shell(`${curl} -K /root/login -I ${url}/plain/rootfs.tar.gz | sed -n 's/^ETag: //p'`)).trim();
  expect(await status(`-H 'If-None-Match: ${etag}' ${url}/plain/rootfs.tar.gz`)).toBe("304");
  await host.shell("echo x > /root/x");
  for (const [args, expected, login] of [
    [`${url}/plain/rootfs.tar.gz`, "401", false],
    [`-T /root/x ${url}/x.tar`, "401", false],
    ["-T /root/x http://localhost:8482/x.tar", "403", true],
    [`-T /root/x --path-as-is ${url}/../../etc/x`, "400", true],
    [`-T /root/x --path-as-is ${url}/a/..%2f..%2f../etc/x`, "400", true],
    [`-T /root/x ${url}/.nspawn/index/page.html`, "403", true],
    [`-T /root/x ${url}/-/page.js`, "405", true],
    [`-X DELETE ${url}/plain/rootfs.tar.gz`, "405", true],
    ["http://localhost:8482/plain/rootfs.tar.gz", "200", true],
  ] as const)
    expect(await status(args, login), args).toBe(expected);
  expect(await host.shell("find /srv/nspawn/images -name 'x*'; ls /etc/x 2>/dev/null || true")).toBe("");
});

longTest("an upload that breaks off leaves the old file and no rest; many at once all come through", async () => {
  await host.shell(
    `head -c 3000000 /dev/urandom > /root/new; printf old > /root/old; ${curl} -K /root/login -T /root/old ${url}/cut/a.tar`,
  );
  await host.run(["sh", "-c", `timeout 0.7 ${curl} -K /root/login --limit-rate 1M -T /root/new ${url}/cut/a.tar`]);
  expect(await host.shell("cat /srv/nspawn/images/cut/a.tar")).toBe("old");
  await expect.poll(() => host.shell("find /srv/nspawn/images/.nspawn/upload -type f")).toBe("");
  const many = (count: number, what: string) => `for i in $(seq ${count}); do (${what} || echo failed) & done; wait`;
  const up = many(20, `${curl} -f -K /root/login -T /root/new ${url}/many/$i.tar`);
  const down = many(
    50,
    `[ "$(${curl} -f -K /root/login ${url}/plain/rootfs.tar.gz | sha256sum)" = "$(sha256sum < /srv/fix/rootfs.tar.gz)" ]`,
  );
  expect(await host.shell(`${up} & ${down}; wait`)).toBe("");
  expect(await host.shell("cd /srv/nspawn/images/many; for i in $(seq 20); do cmp $i.tar /root/new; done")).toBe("");
});

longTest("the page is searched, leads to parents, and gives a line for PULL that works; on a phone nothing is cut off", async () => {
  const lines = [
    `IMAGE("${url}/app/shop.tar.zst");`,
    `PULL("${url}/web/top.tar.zst");`,
    'WITH({ Environment: { SHOP: "a <b> & c" } });',
    "PUSH();",
  ];
  await succeed(host, ["nspawn-build", await writeScript(host, "/root/b/shop.ts", buildScript(...lines))]);
  const listed = async (): Promise<{ path: string; digest: string | null; parents: { path: string }[] }[]> =>
    JSON.parse(await host.shell(`${curl} -K /root/login -H 'Accept: application/json' ${url}/`)).images;
  await expect.poll(async () => (await listed()).find(({ path }) => path === "app/shop.tar.zst")?.digest).toMatch(/^sha256:/);
  expect((await listed()).find(({ path }) => path === "app/shop.tar.zst")?.parents).toMatchObject([{ path: "web/top.tar.zst" }]);

  const browser: Browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const context = await browser.newContext({
      // The name is known in the host alone, and the CA is nobody's but ours.
      ignoreHTTPSErrors: true,
      httpCredentials: { username: "nspawn", password: await password() },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on("pageerror", ({ message }) => troubles.push(message));
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    page.on("request", (request) => new URL(request.url()).host === "localhost:8443" || troubles.push(request.url()));
    await page.goto("https://localhost:8443/");
    await page.locator("#search").fill("shop=a");
    const shown = page.locator("#list > li:visible");
    await expect.poll(() => shown.count()).toBe(1);
    await shown.locator("summary").click();
    expect(await shown.locator("dd").allTextContents()).toContain("SHOP=a <b> & c");
    await shown.locator("svg a", { hasText: "web/top" }).click();
    const parent = page.locator("#list > li:target");
    expect(await parent.getAttribute("data-path")).toBe("web/top.tar.zst");
    await parent.getByRole("button", { name: "Copy" }).first().click();
    await parent.getByRole("button", { name: "Copied" }).waitFor();
    const pull = (await page.evaluate("navigator.clipboard.readText()")) as string;
    const copied = buildScript('IMAGE("file:///srv/out.tar.zst");', pull, 'SH("cat /etc/top"); PUSH();');
    expect(await succeed(host, ["nspawn-build", await writeScript(host, "/root/b/copied.ts", copied)])).toContain("│ top");
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    }
    expect(troubles).toEqual([]);
  } finally {
    await browser.close();
  }
});

longTest("an update keeps data, password and CA; desure leaves them and says where; ensure takes them up again", async () => {
  const kept = () => host.shell(`cat ${own}/ca.key ${own}/config.ini ${own}/users; find /srv/nspawn/images -name '*.tar*' | sort`);
  const before = await kept();
  const leader = await leaderOf(host, "image-server");
  await succeed(host, ["nspawn-hatch", "update", "image-server", "--config", "[hatch/image-server]anonymous=yes"]);
  expect(await leaderOf(host, "image-server")).not.toBe(leader);
  expect(await status(`${url}/plain/rootfs.tar.gz`, false)).toBe("200");
  expect(await status(`-T /root/x ${url}/x.tar`, false)).toBe("401");
  expect(await kept()).toBe(before);
  const gone = await succeed(host, ["nspawn-hatch", "desure", "image-server"]);
  expect(gone).toContain("kept: /srv/nspawn/images/");
  expect(await host.shell("ls /etc/nspawn/config.d")).toBe("");
  expect(await kept()).toBe(before);
  const rows = JSON.parse(await host.must(["nspawn-hatch", "list", "--json"]));
  expect(rows.find(({ name }: { name: string }) => name === "image-server").state).toBe("absent");
  await succeed(host, ["nspawn-hatch", "ensure", "image-server"]);
  expect(await kept()).toBe(before);
  expect(await status(`${url}/plain/rootfs.tar.gz`)).toBe("200");
});
