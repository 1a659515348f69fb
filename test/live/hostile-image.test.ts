import { afterAll, beforeAll, expect, test } from "vitest";
import { sample } from "../support/tries.js";
import type { DisposableHost } from "./support/host.ts";
import { bootMachineHost, buildScript, failWith, setupScript, traces, writeScript } from "./support/machine.ts";

let host: DisposableHost;

beforeAll(async () => {
  host = await bootMachineHost("nspawn-hostile-image");
});
afterAll(() => host?.stop());

const url = "file:///srv/hostile/image.tar.gz";

/** An archive with this metadata (its characters are bytes), and a parent that is right. */
async function makeImage(meta: string): Promise<void> {
  const text = `image_url: ${url}\noverlay_url_list: [file://localhost/srv/fix/top.tar.gz]\n${meta}`;
  const script =
    'mkdir -p /srv/hostile; cd "$(mktemp -d)"; base64 -d > nspawn-image.yaml; tar czf /srv/hostile/image.tar.gz ./nspawn-image.yaml';
  await host.must(["sh", "-ec", script], { input: Buffer.from(text, "latin1").toString("base64") });
}

test.each(
  sample([
    ["a directive as a setting", 'profile_entry_list: ["ExecStartPre=/bin/touch /hacked"]\n'],
    ["a line break in a setting's name", 'profile_entry_list: ["Boot\\nExecStartPre=/bin/touch /hacked"]\n'],
    ["deep lists", `other: ${"[".repeat(10_000)}${"]".repeat(10_000)}\n`],
    ["aliases", "other: &a [x]\nprofile_command: *a\n"],
    ["a wrong type", "profile_command: {a: b}\n"],
    ["bytes that are no UTF-8", "profile_command: [sh, \xff]\n"],
    ["a user that looks like an option", 'profile_entry_list: ["User=--keep-unit"]\n'],
    ["a line break in a limit", 'profile_entry_list: ["Property=MemoryMax=1G\\nExecStartPre=/bin/touch /hacked"]\n'],
    ["a directive as a limit", 'profile_entry_list: ["Property=ExecStartPre=/bin/touch /hacked"]\n'],
    ["two megabytes", `profile_command: [${"x".repeat(2 << 20)}]\n`],
  ]),
)("an image with %s: setup and build name it, and nothing is written", async (_, meta) => {
  await makeImage(meta);
  const before = await traces(host);
  const setup = await writeScript(
    host,
    "/root/h/setup.ts",
    setupScript(`IMAGE("${url}");`, 'MACHINE("m-hostile");', 'EXEC(["sleep", "9"]);'),
  );
  const build = await writeScript(
    host,
    "/root/h/build.ts",
    buildScript('IMAGE("file:///srv/hostile/out.tar.gz");', `PULL("${url}");`, "PUSH();"),
  );
  for (const script of [setup, build]) {
    expect(await failWith(host, 1, [script])).toMatch(
      /error: the image file:\/\/\/srv\/hostile\/image\.tar\.gz has a wrong nspawn-image\.yaml: ./,
    );
  }
  expect(await traces(host)).toBe(before);
  expect(await host.run(["ls", "/etc/systemd/system/m-hostile.service", "/srv/hostile/out.tar.gz", "/hacked"])).toMatchObject({
    stdout: "",
  });
});

test.each(
  sample([
    [
      "a character that systemd drops",
      'profile_entry_list: ["Environment=A=\\ufffe"]\n',
      /Environment of .*image\.tar\.gz: a unit cannot hold the character U\+FFFE/,
    ],
    [
      "half a character in its command",
      'profile_command: ["sh", "\\ud800"]\n',
      /the command of .*image\.tar\.gz: a unit cannot hold half of a character/,
    ],
    [
      "a value that no program takes",
      `profile_entry_list: ["Environment=A=${"x".repeat(300_000)}"]\n`,
      /Environment of .*image\.tar\.gz: no program takes an argument of 300002 bytes/,
    ],
  ] as const),
)("an image with %s: setup names it while the old machine runs, and nothing is written", async (_, meta, message) => {
  await makeImage(meta);
  const before = await traces(host);
  const setup = await writeScript(host, "/root/h/setup.ts", setupScript(`IMAGE("${url}");`, 'MACHINE("m-hostile");'));
  const output = await failWith(host, 1, [setup]);
  expect(output).toMatch(message);
  expect(output.length).toBeLessThan(2000);
  expect(await traces(host)).toBe(before);
});

test("an image's values take nothing from the options of the script", async () => {
  await makeImage('profile_entry_list: ["User=nobody", "Environment=A=--private-network=no", "Hostname=keep-unit", "KeepUnit=True"]\n');
  const setup = await writeScript(
    host,
    "/root/h/setup.ts",
    setupScript(`IMAGE("${url}");`, 'MACHINE("m-hostile");', "WITH({ Private: true, ReadOnly: true });", 'EXEC(["sleep", "600"]);'),
  );
  await host.must(["nspawn-setup", setup, "--action=create"]);
  const unit = await host.must(["cat", "/etc/systemd/system/m-hostile.service"]);
  const argv = unit.slice(unit.indexOf("ExecStart=/usr/bin/systemd-nspawn")).split(" \\\n  ");
  for (const option of [
    "--keep-unit",
    "-u",
    "nobody",
    "--private-network",
    "--read-only",
    "--hostname=keep-unit",
    "--setenv=A=--private-network=no",
  ])
    expect(
      argv.filter((argument) => argument === option),
      option,
    ).toHaveLength(1);
  await host.must(["nspawn-setup", setup, "--action=desure"]);
});
