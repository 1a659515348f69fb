import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tarOf, zipOf } from "../support/hand-made.js";
import { sample } from "../support/tries.js";
import { type Ended, isWhiteout, Lab, namesIn, readArchive, runProgram, Sandbox, sleep } from "./support/build.js";

const lab = new Lab();
const target = lab.archive("fetch.tar.zst");
const image = `IMAGE("${lab.url("fetch.tar.zst")}"); PULL("${lab.url("base.tar.zst")}");`;
const archives = join(lab.folder, "archives");
const endings = ["tar", "tar.gz", "tar.xz", "tar.zst", "zip"] as const;
let server: Server;
let http = "";

beforeAll(async () => {
  await lab.build(`IMAGE("${lab.url("base.tar.zst")}"); PULL("${lab.busybox}");
    SH("mkdir -p /opt/kept /srv; chmod 2750 /opt/kept; chown 12:34 /opt/kept; echo base > /opt/kept/over; echo base > /srv/gone; ln -s /srv /data"); PUSH();`);
  mkdirSync(archives);
  await runProgram([
    "sh",
    "-ec",
    `umask 022; cd "$1"; mkdir -p in/app-1.2/bin in/app-1.2/etc; cd in/app-1.2
    echo tool > bin/tool; chown 12:34 bin/tool; chmod 4755 bin/tool; echo conf > etc/conf; chmod 2751 etc; ln -s tool bin/link; ln -s app-1.2 ../current
    echo ü > "etc/ü b"; touch -h -d '2001-02-03 04:05:06 UTC' bin/tool bin/link etc; cd ..
    tar -cf ../app.tar .; tar -cf ../plain.tar *; gzip -kn ../app.tar; xz -k ../app.tar; zstd -q ../app.tar`,
    "sh",
    archives,
  ]);
  writeFileSync(
    join(archives, "app.zip"),
    zipOf([
      { name: "app-1.2/", type: "folder", mode: 0o755 },
      { name: "app-1.2/bin/tool", content: "tool\n", mode: 0o4755 },
      { name: "app-1.2/bin/link", type: "symlink", link: "tool", mode: 0o777 },
      { name: "app-1.2/etc/", type: "folder", mode: 0o2751 },
      { name: "app-1.2/etc/conf", content: "conf\n" },
      { name: "app-1.2/etc/ü b", content: "ü\n" },
      { name: "current", type: "symlink", link: "app-1.2", mode: 0o777 },
    ]),
  );
  server = createServer(({ url = "" }, response) => void answer(url.slice(1), response));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  lab.remove();
});

/** Half of an archive, then nothing or the end of the connection; an HTML page; else a file of `archives`. */
async function answer(name: string, response: ServerResponse): Promise<void> {
  const file = await runProgram(["cat", join(archives, name.replace(/^(broken|slow)-/, ""))]).catch(() => undefined);
  if (!file) response.writeHead(name === "page.tar.gz" ? 200 : 404, { "content-type": "text/html" }).end("<!doctype html><p>Not Found");
  else if (!/^(broken|slow)-/.test(name)) response.end(file);
  else {
    response.writeHead(200, { "content-length": file.length });
    response.write(file.subarray(0, Math.floor(file.length / 2)), () => name.startsWith("broken-") && response.destroy());
  }
}

function archive(name: string, content: Buffer): string {
  writeFileSync(join(archives, name), content);
  return `file://${join(archives, name)}`;
}

function fetch(url: string, source: string, to = "/srv/x", more = ""): string {
  return `FETCH({ url: "${url}", source: "${source}", target: "${to}"${more} });`;
}

async function mustBuild(lines: string): Promise<Ended> {
  const ended = await lab.build(`${image} ${lines} PUSH();`);
  expect(ended.stderr).toBe("");
  return ended;
}

async function mustFail(lines: string): Promise<string> {
  const ended = await lab.run(`${image} ${lines} PUSH();`);
  expect(ended.code, ended.stdout).toBe(1);
  expect(ended.stderr).toMatch(/build\.ts:2.*error: FETCH /s);
  expect(lab.inProgress()).toEqual([]);
  return ended.stderr;
}

describe("FETCH", () => {
  test.each(sample(endings.flatMap((ending) => [[ending, "http"] as const, [ending, "file"] as const])))(
    "takes a folder of a .%s archive from %s: URLs",
    async (ending, scheme) => {
      const base = scheme === "http" ? http : `file://${archives}`;
      const { output } = await mustBuild(
        `${fetch(`${base}/app.${ending}`, "/app-1.2", "/opt/app")} SH("cd /opt/app; cat bin/tool bin/link etc/conf etc/ü*; stat -c '%n %a %u:%g' bin/tool etc; readlink bin/link", { cache: false });`,
      );
      expect(output).toEqual(["tool", "tool", "conf", "ü", "bin/tool 4755 0:0", "etc 2751 0:0", "tool"]);
    },
  );

  test("takes a file, to its target, into a folder, and to a path with a slash at its end", async () => {
    const { output } = await mustBuild(
      `${fetch(`${http}/app.tar.gz`, "/app-1.2/bin/tool", "/new/deep/name")} ${fetch(`${http}/app.tar.gz`, "app-1.2/etc/conf", "/opt/kept")}
      ${fetch(`${http}/plain.tar`, "/app-1.2/etc/conf/", "/into/")} SH("cat /new/deep/name /opt/kept/conf /into/conf; stat -c '%a %u:%g %Y' /new/deep/name");`,
    );
    expect(output).toEqual(["tool", "conf", "conf", "4755 0:0 981173106"]);
  });

  test("takes all of an archive, and merges as COPY does", async () => {
    await runProgram([
      "sh",
      "-ec",
      'cd "$1"; mkdir -p all/opt/kept all/data; echo new > all/opt/kept/over; echo d > all/data/d; tar -cf all.tar -C all .',
      "sh",
      archives,
    ]);
    const { output } = await mustBuild(
      `${fetch(`file://${archives}/all.tar`, "/", "/")} SH("stat -c '%a %u:%g' /opt/kept; cat /opt/kept/over /srv/d; readlink /data");`,
    );
    expect(output).toEqual(["2750 12:34", "new", "d", "/srv"]);
    expect((await namesIn(target)).filter((name) => name !== "./nspawn-image.yaml")).toEqual([
      ".",
      "./opt",
      "./opt/kept",
      "./opt/kept/over",
      "./srv",
      "./srv/d",
    ]);
  });

  test("takes the same path as source and target, and follows a symlink that is the source", async () => {
    const { output } = await mustBuild(
      `FETCH({ url: "${http}/app.tar.xz", path: "/app-1.2/bin" }); ${fetch(`${http}/app.zip`, "/current", "/opt/current")} SH("cat /app-1.2/bin/tool /opt/current/etc/conf");`,
    );
    expect(output).toEqual(["tool", "conf"]);
  });

  test("keeps ACLs, extended attributes, capabilities, hard links and holes", async () => {
    await runProgram([
      "sh",
      "-ec",
      `cd "$1"; mkdir attr; cd attr; echo x > a; ln a b; setfattr -n user.x -v value a; setfacl -m u:1234:r a; echo x > cap; setcap cap_net_raw+ep cap; truncate -s 10M hole
      tar --xattrs --xattrs-include='*' --acls --sparse -czf ../attr.tar.gz .`,
      "sh",
      archives,
    ]);
    const { output } = await mustBuild(`${fetch(`${http}/attr.tar.gz`, "/", "/attr")} SH("cd /attr; stat -c %i a b | uniq | wc -l");`);
    expect(output).toEqual(["1"]);
    const members = new Map((await readArchive(target)).map((member) => [member.name, member]));
    const file = members.get("./attr/a")?.type === "file" ? members.get("./attr/a") : members.get("./attr/b");
    expect(file?.extended["SCHILY.xattr.user.x"]).toBe("value");
    expect(file?.extended["SCHILY.acl.access"]).toMatch(/user:1234:r--/);
    expect(members.get("./attr/cap")?.extended["SCHILY.xattr.security.capability"]).toBeDefined();
    expect(members.get("./attr/hole")?.content.length).toBeLessThan(10_000);
  });

  test("checks the digest before anything is placed", async () => {
    const bytes = await runProgram(["cat", join(archives, "app.zip")]);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await mustBuild(fetch(`${http}/app.zip`, "/current", "/x", `, digest: "${digest}"`));
    const wrong = `sha256:${"0".repeat(64)}`;
    const error = await mustFail(fetch(`${http}/app.zip`, "/current", "/x", `, digest: "${wrong}"`));
    expect(error).toContain(digest);
    expect(error).toContain(wrong);
  });

  test("of a path that is not there says what is", async () => {
    const error = await mustFail(fetch(`${http}/app.tar.zst`, "/bin/tool"));
    expect(error).toContain(`${http}/app.tar.zst has no /bin/tool: at its top are app-1.2, current`);
    expect(error).toContain('did you mean "/app-1.2/bin/tool"?');
  });

  test("of what is no archive says what it looks like", async () => {
    const page = await mustFail(fetch(`${http}/page.tar.gz`, "/"));
    expect(page).toContain("page.tar.gz is no archive: it looks like an HTML page");
    expect(page).toContain(".tar, .tar.gz, .tar.xz, .tar.zst and .zip can be read");
    expect(await mustFail(fetch(archive("empty.zip", Buffer.alloc(0)), "/"))).toContain("it looks like an empty file");
    expect(await mustFail(fetch(archive("locked.zip", zipOf([{ name: "a", content: "x", encrypted: true }])), "/"))).toContain(
      "is encrypted",
    );
    expect(await mustFail(fetch(`${http}/none.tar`, "/"))).toContain("404");
  });

  test.each(sample(endings))("of half a .%s archive fails, whether it ends there or breaks off", async (ending) => {
    const bytes = await runProgram(["cat", join(archives, `app.${ending}`)]);
    const half = bytes.subarray(0, Math.floor(bytes.length / 2));
    expect(await mustFail(fetch(archive(`half.${ending}`, half), "/"))).toContain(`half.${ending} cannot be extracted: `);
    expect(await mustFail(fetch(`${http}/broken-app.${ending}`, "/"))).toContain(`${http}/broken-app.${ending}: `);
  });

  test.each([
    ["tar", tarOf],
    ["zip", zipOf],
  ])("of a .%s archive that tries to get out of it touches nothing of the host", async (ending, make) => {
    const victim = join(lab.folder, "victim");
    mkdirSync(victim, { recursive: true });
    const through = archive(
      `through.${ending}`,
      make([
        { name: "link", type: "symlink", link: victim },
        { name: "link/evil", content: "x" },
      ]),
    );
    const above = archive(`above.${ending}`, make([{ name: `${"../".repeat(30)}${victim.slice(1)}/evil`, content: "x" }]));
    for (const url of [through, above]) await lab.run(`${image} ${fetch(url, "/", "/out")}`);
    // What is below a symlink of the archive is nothing of the archive.
    await lab.run(
      `${image} ${fetch(archive(`link.${ending}`, make([{ name: "link", type: "symlink", link: "/etc" }])), "/link/passwd", "/out")} PUSH();`,
    );
    expect(readdirSync(victim)).toEqual([]);
    expect(lab.inProgress()).toEqual([]);
  });

  test("leaves device nodes out, whiteouts of other images among them, and says so", async () => {
    const url = archive(
      "devices.tar",
      tarOf([
        { name: "./srv/", type: "folder", mode: 0o755 },
        { name: "./srv/gone", type: "character", device: [0, 0] },
        { name: "./srv/null", type: "character", device: [1, 3] },
        { name: "./srv/file", content: "x\n" },
      ]),
    );
    const ended = await lab.build(`${image} ${fetch(url, "/", "/")} SH("cat /srv/gone /srv/file"); PUSH();`);
    expect(ended.output).toEqual(["base", "x"]);
    expect(ended.stderr).toMatch(/warning: .*devices\.tar: device nodes are left out: \/srv\/gone, \/srv\/null/);
    expect((await readArchive(target)).filter(isWhiteout)).toEqual([]);
  });

  test.each(["INT", "KILL"] as const)("ends by SIG%s in the middle of a download, and leaves nothing", async (signal) => {
    const sandbox = await Sandbox.open();
    try {
      const script = lab.script(`${image} ${fetch(`${http}/slow-app.zip`, "/current")} PUSH();`);
      const running = lab.start(script, { within: sandbox.within });
      const isFetching = (): boolean => lab.inProgress().some((name) => existsSync(join(lab.store, "tempdir", name, "fetches/fetch-0")));
      await expect.poll(isFetching).toBe(true);
      await sleep(200);
      expect(await sandbox.signal(signal, script)).toBe(true);
      const ended = await running.ended;
      expect(await sandbox.leftovers(2000)).toEqual([]);
      if (signal === "INT") expect([ended.code, lab.inProgress()]).toEqual([130, []]);
      else {
        await lab.build(`${image} ${fetch(`${http}/app.zip`, "/current")}`);
        expect(lab.inProgress()).toEqual([]);
      }
    } finally {
      await sandbox.close();
    }
  });
});
