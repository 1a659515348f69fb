import { afterAll, beforeAll, expect, test } from "vitest";
import { longTest } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, buildScript, failWith, inMachine, setupScript, succeed, writeScript } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  // A network of its own: its nginx takes port 80, as those of other hosts do.
  host = await bootMachineHost("nspawn-setup-machines", { networkVeth: true });
});
afterAll(() => host?.stop());

const top = 'IMAGE("file://localhost/srv/fix/top.tar.gz");';

test("arguments and values with quotes, %, $, backslashes, spaces and more reach systemd-nspawn and the command unchanged", async () => {
  const hostile = [
    "a b",
    `"double" 'single'`,
    "100% %n %%",
    "$HOME ${HOME} $$",
    "back\\slash \\n \\x41",
    "new\nline",
    "tab\t",
    "ünï ☃",
    ";",
    "-- -x",
    "#",
    "",
    "end\\",
    "\u0001\u001b[0m",
    "x".repeat(3000),
  ];
  const variables = Object.fromEntries(hostile.map((value, index) => [`V${index}`, value]));
  const argv = ["sh", "-c", 'printf "%s\\0" "$@" > /root/argv; exec sleep 600', "sh", ...hostile];
  const lines = [top, 'MACHINE("m-quote");', `WITH({ Environment: ${JSON.stringify(variables)} });`, `EXEC(${JSON.stringify(argv)});`];
  await succeed(host, [await writeScript(host, "/root/s/quote.ts", setupScript(...lines))]);
  expect((await inMachine(host, "m-quote", ["cat", "/root/argv"])).split("\0").slice(0, -1)).toEqual(hostile);
  const main = (await host.must(["systemctl", "show", "--value", "--property=MainPID", "m-quote.service"])).trim();
  const commandLine = (await host.must(["cat", `/proc/${main}/cmdline`])).split("\0");
  for (const [name, value] of Object.entries(variables)) expect(commandLine).toContain(`--setenv=${name}=${value}`);
});

test("Slice and Property hold for the machine", async () => {
  const limits = 'WITH({ Slice: "nspawn-test.slice", Property: { MemoryMax: "64M", TasksMax: 99, IOWeight: 50 } });';
  const script = await writeScript(host, "/root/s/limit.ts", setupScript(top, 'MACHINE("m-limit");', limits, 'EXEC(["sleep", "600"]);'));
  await succeed(host, [script]);
  const shown = await host.must(["systemctl", "show", "--property=Slice,MemoryMax,TasksMax,IOWeight", "m-limit.service"]);
  expect(shown.trim().split("\n").sort()).toEqual(["IOWeight=50", `MemoryMax=${64 << 20}`, "Slice=nspawn-test.slice", "TasksMax=99"]);
  expect(await host.must(["systemd-cgls", "--no-pager", "--unit", "nspawn-test.slice"])).toContain("sleep 600");
});

longTest("100 ancestors with URL paths of 150 characters run as a machine", async () => {
  const path = (index: number): string => `/srv/chain/${"p".repeat(60)}/${"q".repeat(60)}/layer-${String(index).padStart(3, "0")}.tar.gz`;
  expect(path(1).length).toBeGreaterThan(145);
  await host.shell(
    [
      `mkdir -p "$(dirname ${path(1)})"; cd $(mktemp -d); mkdir opt`,
      "for i in $(seq 1 100); do",
      `  n=$(printf %03d $i); m=$(printf %03d $((i - 1))); rm -f opt/*; echo $n > opt/only-$n; echo $n > opt/last`,
      `  parent=file://${path(0).replace(/000\.tar\.gz$/, "")}$m.tar.gz; [ $i -gt 1 ] || parent=file:///srv/fix/rootfs.tar.gz`,
      `  printf 'image_url: file://x\\noverlay_url_list: [%s]\\nprofile_command: null\\nprofile_entry_list: []\\n' "$parent" > nspawn-image.yaml`,
      `  tar czf ${path(0).replace(/000\.tar\.gz$/, "")}$n.tar.gz .`,
      "done",
    ].join("\n"),
  );
  const lines = [`IMAGE("file://${path(100)}");`, 'MACHINE("m-chain");', 'EXEC(["sleep", "600"]);'];
  await succeed(host, [await writeScript(host, "/root/s/chain.ts", setupScript(...lines))]);
  const names = (await inMachine(host, "m-chain", ["ls", "/opt"])).trim().split("\n");
  expect(names).toHaveLength(101);
  expect(await inMachine(host, "m-chain", ["cat", "/opt/last"])).toBe("100\n");
  await host.must(["systemctl", "stop", "m-chain"]);
});

test("a machine shows the files of its image exactly as the build's script made them", async () => {
  const make = [
    "mkdir -p /t/again /t/merge /t/swap; echo old > /t/again/old; echo old > /t/file; echo x > /t/swap/x",
    "echo s > /t/setuid; chmod 4751 /t/setuid; mkdir -m 3770 /t/sticky; chown 1234:4321 /t/sticky",
    "ln -s /nowhere /t/dangling; ln /t/setuid /t/hard",
    `touch "/t/sp ace" "/t/co:lon" "/t/com,ma" '/t/back\\slash' "/t/$(printf 'new\\nline')" /t/ünï "/t/$(printf '\\377')"`,
    "truncate -s 100M /t/sparse; touch -d '2001-02-03 04:05:06' /t/file /t/merge",
  ];
  const change = ["rm -r /t/again; mkdir /t/again; echo new > /t/again/new; rm /t/file; mkdir /t/file; rm -r /t/swap; echo f > /t/swap"];
  // Without the size and link count of folders: the kernel makes them up for folders of several layers.
  const list = [
    "find /t -xdev ! -type d -exec stat -c '%N %f %u:%g %s %h %t:%T %Y' {} + | sort",
    "find /t -xdev -type d -exec stat -c '%N %f %u:%g %Y' {} + | sort",
    "find /t -type f -size -10k -exec sha256sum {} + | sort",
    "find /t -type f -size +1000k -exec du -k {} +",
  ].join("; ");
  const image = 'IMAGE("file:///srv/truth/image.tar.zst");';
  const build = [
    image,
    'PULL("file://localhost/srv/fix/rootfs.tar.gz");',
    ...[...make, ...change].map((line) => `SH(${JSON.stringify(line)});`),
    `SH(${JSON.stringify(`{ ${list}; } > /listing`)});`,
    "PUSH();",
  ];
  await succeed(host, [await writeScript(host, "/root/s/truth/build.ts", buildScript(...build))]);
  await succeed(host, [
    await writeScript(host, "/root/s/truth/setup.ts", setupScript(image, 'MACHINE("m-truth");', 'EXEC(["sleep", "600"]);')),
  ]);
  const made = await inMachine(host, "m-truth", ["cat", "/listing"]);
  expect(made).toContain("/t/again/new");
  expect(made).not.toContain("/t/again/old");
  expect(await inMachine(host, "m-truth", ["sh", "-c", list])).toBe(made);
});

test("the root folder of a machine has the mode, the ACL and the attributes that its image gave it", async () => {
  await host.shell(
    [
      "mkdir -p /srv/acl; cd $(mktemp -d); tar xzf /srv/fix/rootfs.tar.gz",
      "chmod 751 .; setfacl -m u:1234:rx .; setfattr -n user.note -v hello .",
      "tar --acls --xattrs -czf /srv/acl/base.tar.gz .",
    ].join("\n"),
  );
  const image = 'IMAGE("file:///srv/acl/image.tar.zst");';
  const build = [image, 'PULL("file:///srv/acl/base.tar.gz");', 'SH("echo 1 > /one");', 'SH("echo 2 > /two");', "PUSH();"];
  await succeed(host, [await writeScript(host, "/root/s/acl/build.ts", buildScript(...build))]);
  const setup = setupScript(image, 'MACHINE("m-acl");', 'EXEC(["sleep", "600"]);');
  await succeed(host, [await writeScript(host, "/root/s/acl/setup.ts", setup)]);
  const seen = await host.shell("cd /var/lib/machines/m-acl; getfacl -n . ; getfattr -d . ; stat -c %a . ; cat one two");
  for (const part of ["user:1234:r-x", 'user.note="hello"', "751", "1\n2\n"]) expect(seen).toContain(part);
});

test("settings of an image from elsewhere that open the host need a grant, and are listed with their origin", async () => {
  await host.shell("mkdir -p /srv/web; cp /srv/fix/rootfs.tar.gz /srv/web/");
  await host.shell("printf 'server { listen 127.0.0.1:8099; root /srv/web; }' > /etc/nginx/conf.d/open.conf; systemctl restart nginx");
  const build = [
    'IMAGE("file:///srv/web/open.tar.zst");',
    'PULL("http://127.0.0.1:8099/rootfs.tar.gz");',
    'WITH({ Bind: "/srv/secret/:/secret", Capability: ["CAP_NET_ADMIN"], Hostname: "fine" });',
    'EXEC(["sleep", "600"]);',
    "PUSH();",
  ];
  await succeed(host, [await writeScript(host, "/root/s/open/build.ts", buildScript(...build))]);
  await host.shell("printf 'server { listen 127.0.0.1:8099; root /srv/web; }' > /etc/nginx/conf.d/open.conf; systemctl restart nginx");
  const setup = (options: string): string => setupScript(`IMAGE("http://127.0.0.1:8099/open.tar.zst"${options});`, 'MACHINE("m-open");');
  const script = await writeScript(host, "/root/s/open/setup.ts", setup(""));
  const refused = await failWith(host, 1, [script]);
  expect(refused).toContain("Bind=/srv/secret/:/secret  from http://127.0.0.1:8099/open.tar.zst");
  expect(refused).toContain("Capability=CAP_NET_ADMIN");
  expect(refused).not.toContain("Hostname=fine");
  expect(refused).toContain('grant: ["Bind", "Capability"]');
  expect((await host.run(["systemctl", "cat", "m-open"])).code).not.toBe(0);
  await writeScript(host, script, setup(', { grant: ["Bind", "Capability"] }'));
  await succeed(host, [script]);
  expect(await inMachine(host, "m-open", ["ls", "/secret"])).toBe("");
});

test("an image from elsewhere can neither name files of this host as its parents nor pass its settings off as theirs", async () => {
  await host.shell(
    [
      "cd $(mktemp -d)",
      'image() { printf \'image_url: http://x/y\\noverlay_url_list: [%s]\\noverlay_digest_list: [%s]\\nprofile_command: [sleep, "600"]\\nprofile_entry_list: [%s]\\n\' "$2" "$3" "$4" > nspawn-image.yaml; tar czf /srv/web/$1.tar.gz ./nspawn-image.yaml; }',
      "image evil http://127.0.0.1:8099/rootfs.tar.gz null 'Bind=/:/host'",
      "digest=sha256:$(sha256sum /srv/web/evil.tar.gz | cut -d' ' -f1)",
      "image cover http://127.0.0.1:8099/other.tar.gz $digest ''",
      "image file file:///srv/fix/rootfs.tar.gz null ''",
      "image both 'http://127.0.0.1:8099/evil.tar.gz, http://127.0.0.1:8099/cover.tar.gz' 'null, null' ''",
    ].join("\n"),
  );
  const setup = (name: string): string => setupScript(`IMAGE("http://127.0.0.1:8099/${name}.tar.gz");`, 'MACHINE("m-evil");');
  const script = await writeScript(host, "/root/s/evil.ts", setup("evil"));
  expect(await failWith(host, 1, [script])).toContain("Bind=/:/host  from http://127.0.0.1:8099/evil.tar.gz");
  await writeScript(host, script, setup("file"));
  expect(await failWith(host, 1, [script])).toContain("a file of this host");
  // The layer of "evil" is in the store by now; an image's word does not make it the content of another URL.
  await writeScript(host, script, setup("both"));
  expect(await failWith(host, 1, [script])).toContain("http://127.0.0.1:8099/other.tar.gz: HTTP status 404");
  expect((await host.run(["systemctl", "cat", "m-evil"])).code).not.toBe(0);
});

test("an HTTP image that is gone leaves the host untouched and says the status", async () => {
  const script = await writeScript(
    host,
    "/root/s/gone.ts",
    setupScript('IMAGE("http://127.0.0.1:8099/none.tar.zst");', 'MACHINE("m-gone");'),
  );
  const output = await failWith(host, 1, [script]);
  expect(output).toContain("http://127.0.0.1:8099/none.tar.zst");
  expect(output).toContain("404");
  expect((await host.run(["systemctl", "cat", "m-gone"])).code).not.toBe(0);
});

test("wrong setup scripts exit with 2, name their lines, and change nothing", async () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['MACHINE("m-x");', "there is no IMAGE"],
    [top, "there is no MACHINE"],
    [`${top} MACHINE("-x");`, "no machine name"],
    [`${top} MACHINE("m-x"); MACHINE("m-y");`, "already declared"],
    [`${top} MACHINE("m-x"); WITH({ Bnid: "/a" } as never);`, "did you mean Bind"],
    [`${top} MACHINE({ name: "m-x", serviceConf: ["A=1\\nB=2"] });`, "expected one line of a unit"],
    [`${top} MACHINE("m-x"); COPY("/none");`, "is not there"],
    [`${top} MACHINE("m-x"); COPY({ source: "/a", target: "b" });`, 'expected an absolute path, got "b"'],
    [`${top} MACHINE("m-x"); const a: = 1;`, "wrong.ts:3"],
  ];
  for (const [lines, message] of wrong) {
    const script = await writeScript(host, "/root/s/wrong.ts", setupScript(lines));
    const output = await failWith(host, 2, [script]);
    expect(output).toContain(message);
    expect(output).toMatch(/wrong\.ts:\d+: error:/);
  }
  expect(await failWith(host, 2, ["nspawn-setup", "/root/s/wrong.ts", "--action=fly"])).toContain("error");
  expect((await host.run(["ls", "/etc/systemd/system/m-x.service"])).code).not.toBe(0);
});
