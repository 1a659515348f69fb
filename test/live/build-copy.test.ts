import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, Lab, namesIn, readArchive, runProgram } from "./support/build.js";

const lab = new Lab();
const target = lab.archive("copy.tar.zst");
const image = `IMAGE("${lab.url("copy.tar.zst")}"); PULL("${lab.url("base.tar.zst")}");`;

beforeAll(async () => {
  // /lib is a relative symlink (to usr/lib), /data an absolute one, /loop leads nowhere, /out far out of the root.
  await lab.build(`
    IMAGE("${lab.url("base.tar.zst")}"); PULL("${lab.busybox}");
    SH(\`mkdir -p /srv/kept /usr/lib /opt/app/conf; chmod 2750 /opt/app; chown 12:34 /opt/app; echo base > /opt/app/conf/kept; echo base > /opt/app/conf/over
      echo base > /srv/kept/f; ln -s /srv /data; ln -s /nowhere/at/all /loop; ln -s ../../../../../../../srv /out; ln -s kept/f /srv/link-to-file\`);
    PUSH();`);
});
afterAll(() => lab.remove());

/** A script with a folder beside it, which a shell script (in the folder) makes. */
async function build(lines: string, make: string): Promise<Ended> {
  const script = lab.script(`${image} ${lines} PUSH();`);
  await runProgram(["sh", "-ec", `umask 022; cd "$1"; ${make}`, "sh", dirname(script)]);
  return lab.run(script);
}

async function mustBuild(lines: string, make: string): Promise<readonly string[]> {
  const ended = await build(lines, make);
  expect(ended.stderr).toBe("");
  expect(ended.code, ended.stderr).toBe(0);
  return ended.output;
}

describe("COPY", () => {
  test("merges a folder into one that is there, which keeps its mode and owner", async () => {
    const output = await mustBuild(
      'COPY("/opt"); SH("stat -c \'%n %a %u:%g\' /opt/app; cat /opt/app/conf/*; ls /opt/app");',
      "mkdir -p opt/app/conf opt/app/new; echo copied > opt/app/conf/over; echo copied > opt/app/conf/fresh; chmod 700 opt opt/app",
    );
    expect(output).toEqual(["/opt/app 2750 12:34", "copied", "base", "copied", "conf", "new"]);
  });

  test("follows a symlink to a folder as the image would, never out of it", async () => {
    const hostSrv = lstatSync("/srv").mtimeMs;
    const output = await mustBuild(
      'COPY("/lib"); COPY("/data"); COPY({ source: "/data/f", target: "/out/through-out" }); SH("cat /usr/lib/made /srv/f /srv/kept/g /srv/through-out; readlink /lib; readlink /data");',
      "mkdir -p lib data/kept; echo lib > lib/made; echo f > data/f; echo g > data/kept/g",
    );
    expect(output).toEqual(["lib", "f", "g", "f", "usr/lib", "/srv"]);
    expect(lstatSync("/srv").mtimeMs).toBe(hostSrv);
    const names = await namesIn(target);
    expect(names.filter((name) => /^\.\/(lib|data|out)/.test(name))).toEqual([]);
    expect(names).toContain("./srv/kept/g");
  });

  test("says so where a symlink of the image leads to no folder, or a file stands against a folder", async () => {
    const dangling = await build('COPY("/loop");', "mkdir loop; echo x > loop/f");
    const output = dangling.code === 0 ? await namesIn(target) : [];
    // Either made there, inside the image, or refused: never on this host.
    if (dangling.code === 0) expect(output).toContain("./nowhere/at/all/f");
    else expect(dangling.stderr).toContain("symlink");
    expect(lstatSync("/nowhere", { throwIfNoEntry: false })).toBeUndefined();
    const against = await build('COPY("/opt");', "mkdir -p opt/app/conf/kept; echo x > opt/app/conf/kept/f");
    expect(against.code).toBe(1);
    expect(against.stderr).toMatch(/build\.ts:2: error: COPY .*\/opt\/app\/conf\/kept is a file there and a folder in the source/);
  });

  test("makes root the owner and keeps mode, time, ACLs, attributes, capabilities, links, holes and names", async () => {
    const output = await mustBuild(
      'COPY("/all"); COPY({ source: "/all/suid", target: "/single" }); SH("cd /all; stat -c \'%n %a %u:%g\' *; stat -c %i a b | uniq | wc -l; readlink soft");',
      `mkdir all; cd all; echo x > a; ln a b; ln -s a soft; echo x > suid; chown 12:34 suid; chmod 4755 suid; mkdir dir; chmod 1700 dir; chown 12:34 dir
      setfattr -n user.x -v 'value' a; setfacl -m u:1234:r suid; echo x > cap; setcap cap_net_raw+ep cap; truncate -s 10M hole; mkfifo pipe
      touch -h -d '2001-02-03 04:05:06.123456789 UTC' a dir soft; printf x > "$(printf 'odd\\n\\377 name')"`,
    );
    expect(output.slice(-2)).toEqual(["1", "a"]);
    expect(output.filter((line) => / \d+ \d+:\d+$/.test(line) && !line.endsWith(" 0:0"))).toEqual([]);
    const members = new Map((await readArchive(target)).map((member) => [member.name, member]));
    expect(members.get("./all/a")?.extended["SCHILY.xattr.user.x"] ?? members.get("./all/b")?.extended["SCHILY.xattr.user.x"]).toBe(
      "value",
    );
    for (const name of ["./all/suid", "./single"]) {
      const acl = members.get(name)?.extended["SCHILY.acl.access"];
      expect(acl, name).toMatch(/user:1234:r--/);
      expect(members.get(name)?.mode, name).toBe(0o4755);
      expect([members.get(name)?.uid, members.get(name)?.gid], name).toEqual([0, 0]);
    }
    expect(members.get("./all/cap")?.extended["SCHILY.xattr.security.capability"]).toBeDefined();
    expect(members.get("./all/dir/")?.mode).toBe(0o1700);
    expect(members.get("./all/dir/")?.extended.mtime).toBe("981173106.123456789");
    expect(members.get("./all/hole")?.content.length).toBeLessThan(10_000);
    expect(members.get("./all/pipe")?.type).toBe("fifo");
    expect(members.get("./all/odd\n\xff name")?.content.toString()).toBe("x");
  });

  test("puts a file at its target, into a folder, or over a file, whose symlink it replaces", async () => {
    const output = await mustBuild(
      `COPY({ source: "/f", target: "/new/deep/name" }); COPY({ source: "/f", target: "/srv/kept" }); COPY({ source: "/f", target: "/into/" });
      COPY({ source: "/f", target: "/srv/kept/f" }); SH("cat /new/deep/name /srv/kept/f /into/f; stat -c '%a %u' /new /new/deep /into");`,
      "echo copied > f; chmod 600 f; chown 99:99 f",
    );
    expect(output).toEqual(["copied", "copied", "copied", "755 0", "755 0", "755 0"]);
    expect((await namesIn(target)).filter((name) => name.includes(".nspawn-"))).toEqual([]);
  });

  test("of a folder that changed nothing of a parent's file brings only what it copies", async () => {
    await mustBuild('COPY({ source: "/f", target: "/opt/app/conf/fresh" });', "echo x > f");
    expect(await namesIn(target)).toEqual([".", "./nspawn-image.yaml", "./opt", "./opt/app", "./opt/app/conf", "./opt/app/conf/fresh"]);
  });

  test("of a named pipe ends, whatever it makes of it", { timeout: 20_000 }, async () => {
    const script = lab.script(`${image} COPY("/pipe");`);
    await runProgram(["mkfifo", join(dirname(script), "pipe")]);
    const running = lab.start(script);
    const timer = setTimeout(() => running.child.kill("SIGKILL"), 5000);
    const ended = await running.ended;
    clearTimeout(timer);
    expect(ended.signal).toBeUndefined();
  });
});

describe("CAST", () => {
  test("renders every file of a folder with the variables, source and target, and keeps modes and line ends", async () => {
    const output = await mustBuild(
      'CAST("/etc", { who: "world", list: [1, 2] }); SH("cat /etc/one; wc -c < /etc/sub/two; stat -c \'%a %u:%g %Y\' /etc/one; cat /etc/three");',
      `mkdir -p etc/sub; printf 'hello {{ who }}{%% for n in list %%} {{ n }}{%% endfor %%}\\n{{ target }}\\n{{ source }}\\n' > etc/one; printf 'a\\n\\n' > etc/sub/two
      printf '<{{ who }}>&\\r\\n' > etc/three; chown 7:7 etc/one; chmod 4750 etc/one; touch -d @1000000000 etc/one`,
    );
    expect(output.slice(0, 2)).toEqual(["hello world 1 2", "/etc"]);
    expect(output[2]).toMatch(/\/etc$/);
    expect(output.slice(3)).toEqual(["3", "4750 0:0 1000000000", "<world>&"]);
  });

  test("of a variable that is not given fails with the template and its line", async () => {
    const ended = await build(
      'CAST("/etc/conf", { given: 1 });',
      "mkdir etc; printf 'one {{ given }}\\ntwo\\nthree {{ missing }}\\n' > etc/conf",
    );
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(/build\.ts:2: error: CAST: etc\/conf:3: .*undefined/);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });

  test("of a file that is no text is refused, and COPY is offered", async () => {
    const ended = await build('CAST("/bin");', "mkdir bin; printf 'a\\377b' > bin/x");
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(/ bin\/x is no text in UTF-8/);
    expect(ended.stderr).toContain("COPY");
  });

  test("does not change the templates themselves", async () => {
    const script = lab.script(`${image} CAST("/t", { a: 1 });`, { "t/f": "{{ a }}" });
    const file = join(dirname(script), "t/f");
    writeFileSync(file, "{{ a }}", { mode: 0o640 });
    mkdirSync(join(dirname(script), "other"));
    const before = lstatSync(file, { bigint: true });
    await lab.build(script);
    const after = lstatSync(file, { bigint: true });
    expect([after.mtimeNs, after.ctimeNs, after.size]).toEqual([before.mtimeNs, before.ctimeNs, before.size]);
  });
});
