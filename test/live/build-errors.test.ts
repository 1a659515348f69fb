import { createReadStream, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf, type Ended, installed, Lab, namesIn, runProgram, Sandbox, sleep } from "./support/build.js";

const lab = new Lab();
const target = lab.archive("x.tar.zst");
const image = `IMAGE("${lab.url("x.tar.zst")}");`;
const busybox = `PULL("${lab.busybox}");`;
const archive = lab.busybox.slice("file://".length);
let server: Server;
let origin: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === "/slow-start.tar.gz" || request.url === "/short.tar.gz") void trickle(request.url, request.method, response);
    else if (request.url === "/cut.tar.gz" && request.method === "GET") {
      response.writeHead(200, { "content-length": String(readFileSync(archive).length) });
      response.write(readFileSync(archive).subarray(0, 200_000), () => response.destroy());
    } else if (request.url === "/whole.tar.gz") {
      if (request.method === "HEAD") response.end();
      else createReadStream(archive).pipe(response);
    } else if (request.url === "/broken.tar.gz") response.writeHead(503).end("try later");
    else response.writeHead(404).end("nothing here");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  lab.remove();
});

/** Sends an archive whose first bytes come one by one. */
async function trickle(url: string, method: string | undefined, response: import("node:http").ServerResponse): Promise<void> {
  const bytes = readFileSync(archive);
  if (method !== "HEAD") {
    for (const byte of bytes.subarray(0, 4)) {
      response.write(Buffer.from([byte]));
      await sleep(50);
    }
    response.write(bytes.subarray(4, url === "/short.tar.gz" ? 1000 : undefined));
  }
  response.end();
}

/** Nothing of a failed build is published or left, and no stack is shown. */
async function failing(script: string, code = 1): Promise<Ended> {
  const ended = await lab.run(script);
  expect(ended.code, ended.stderr).toBe(code);
  expect(existsSync(target)).toBe(false);
  expect(lab.inProgress()).toEqual([]);
  expect(ended.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(ended.stderr).not.toContain("this is a defect");
  return ended;
}

describe("a step that fails", () => {
  test("is shown with file and line, step, command, exit code and the last lines of its output", async () => {
    const lines = `${image}\n${busybox}\nRUN(["true"]);\nRUN(["sh", "-c", "seq 100; echo 'last \\"words\\"' >&2; exit 42"]);\nPUSH();`;
    const ended = await failing(lines);
    expect(ended.stderr).toMatch(/^\S*build\.ts:5: error: RUN sh -c .*: exit code 42|^\S*build\.ts:5: error: RUN .* failed: exit code 42/m);
    expect(ended.stderr).toContain("sh -c 'seq 100;");
    expect(ended.stderr).toContain("exit 42'");
    expect(ended.stderr).toContain('last "words"');
    expect(ended.stderr).toContain("| 100");
    expect(ended.stderr).not.toMatch(/\| 1$/m);
    expect(ended.output).toContain("1");
  });

  test("in a shell script stops it at its first failing command", async () => {
    const ended = await failing(`${image} ${busybox} SH("echo before; false; echo after"); PUSH();`);
    expect(ended.output).toEqual(["before"]);
    expect(ended.stderr).toContain("exit code 1");
  });

  test("by a signal is shown as the exit code that systemd-nspawn has for it", async () => {
    const ended = await failing(`${image} ${busybox} SH("kill -9 $$"); PUSH();`);
    expect(ended.stderr).toMatch(/exit code (255|137)$/m);
  });

  test("since its program is not in the image names the program", async () => {
    const ended = await failing(`${image} ${busybox} RUN(["no-such-program", "x"]); PUSH();`);
    expect(ended.stderr).toMatch(/build\.ts:2: error: RUN no-such-program x/);
    expect(ended.stderr).toMatch(/no-such-program.*(not found|No such file|not in the image|is not there)/i);
  });

  test("since its base has no /usr says that of the base", async () => {
    const folder = join(lab.folder, "no-usr");
    await runProgram(["sh", "-ec", 'mkdir -p "$1/etc"; tar -C "$1" -czf "$2" .', "sh", folder, lab.archive("nousr.tar.gz")]);
    const ended = await failing(`${image} PULL("${lab.url("nousr.tar.gz")}"); RUN(["true"]); PUSH();`);
    expect(ended.stderr).toMatch(/build\.ts:2: error: RUN true/);
    expect(ended.stderr).toContain("/usr");
  });

  test("on no base at all says so too", async () => {
    const ended = await failing(`${image} RUN(["true"]); PUSH();`);
    expect(ended.stderr).toMatch(/\/usr|PULL|BOOTSTRAP/);
  });
});

describe("a pull that fails", () => {
  test("of a file that is not there names URL and reason", async () => {
    const ended = await failing(`${image} PULL("${lab.url("missing.tar.gz")}"); RUN(["true"]); PUSH();`);
    expect(ended.stderr).toContain(lab.url("missing.tar.gz"));
    expect(ended.stderr).toMatch(/no such file/i);
  });

  test("since the server answers 404 or 503 names URL and status", async () => {
    const missing = await failing(`${image} PULL("${origin}/missing.tar.gz"); PUSH();`);
    expect(missing.stderr).toContain(`${origin}/missing.tar.gz`);
    expect(missing.stderr).toContain("404");
    const broken = await failing(`${image} PULL("${origin}/broken.tar.gz"); PUSH();`);
    expect(broken.stderr).toContain(`${origin}/broken.tar.gz`);
    expect(broken.stderr).toContain("503");
  });

  test("since nobody listens names the URL", async () => {
    const ended = await failing(`${image} PULL("http://127.0.0.1:1/x.tar.gz"); PUSH();`);
    expect(ended.stderr).toContain("http://127.0.0.1:1/x.tar.gz");
    expect(ended.stderr).toMatch(/ECONNREFUSED|refused/);
  });

  test("since an ancestor is missing names the ancestor's URL", async () => {
    const folder = join(lab.folder, "orphan");
    const meta = `image_url: ${lab.url("orphan.tar.gz")}\noverlay_url_list: ["${lab.url("gone.tar.gz")}"]\nprofile_command: null\nprofile_entry_list: []\n`;
    await runProgram(
      ["sh", "-ec", 'mkdir "$1"; cat > "$1/nspawn-image.yaml"; tar -C "$1" -czf "$2" .', "sh", folder, lab.archive("orphan.tar.gz")],
      meta,
    );
    const ended = await failing(`${image} PULL("${lab.url("orphan.tar.gz")}"); PUSH();`);
    expect(ended.stderr).toContain(lab.url("gone.tar.gz"));
  });

  for (const size of [0, 5, 3000, 500_000]) {
    test(`since the archive ends after ${size} bytes names the URL, and the next build pulls it anew`, async () => {
      const name = `cut${size}`;
      await runProgram(["cp", archive, lab.archive(`${name}.tar.gz`)]);
      truncateSync(lab.archive(`${name}.tar.gz`), size);
      const ended = await failing(`${image} PULL("${lab.url(`${name}.tar.gz`)}"); RUN(["true"]); PUSH();`);
      expect(ended.stderr).toContain(lab.url(`${name}.tar.gz`));
      await runProgram(["cp", archive, lab.archive(`${name}.tar.gz`)]);
      await lab.build(`${image} PULL("${lab.url(`${name}.tar.gz`)}"); RUN(["true"]);`);
    });
  }

  test("since the connection breaks names the URL", async () => {
    const ended = await failing(`${image} PULL("${origin}/cut.tar.gz"); RUN(["true"]); PUSH();`);
    expect(ended.stderr).toContain(`${origin}/cut.tar.gz`);
  });

  test("since a server without lengths ends too early names the URL", async () => {
    const ended = await failing(`${image} PULL("${origin}/short.tar.gz"); RUN(["true"]); PUSH();`);
    expect(ended.stderr).toContain(`${origin}/short.tar.gz`);
  });

  test("since the digest is another shows both, and the right one pulls", async () => {
    const url = `${origin}/whole.tar.gz`;
    const wrong = `sha256:${"0".repeat(64)}`;
    const ended = await failing(`${image} PULL({ url: "${url}", digest: "${wrong}" }); RUN(["true"]); PUSH();`);
    expect(ended.stderr).toContain(url);
    expect(ended.stderr).toContain(wrong);
    expect(ended.stderr).toContain(digestOf(archive));
    await lab.build(`${image} PULL({ url: "${url}", digest: "${digestOf(archive)}" }); RUN(["true"]);`);
  });

  test("does not fail for an archive whose first bytes come one by one", async () => {
    const ended = await lab.run(`${image} PULL("${origin}/slow-start.tar.gz"); SH("echo here");`);
    expect(ended.stderr).toBe("");
    expect(ended.output).toEqual(["here"]);
  });
});

describe("a script that goes on behind its own end", () => {
  test.each([
    ["process.exit(0)", "the script called process.exit(0) behind its own end"],
    ['throw new Error("late")', "late"],
  ])("by %s does not end the build as if it were done", async (code, message) => {
    const started = performance.now();
    const ended = await lab.run(`${image} ${busybox} setTimeout(() => { ${code}; }, 400);\nSH("sleep 5");\nPUSH();`);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`error: ${message}`);
    expect(ended.stderr).toMatch(/build\.ts:\d+: error/);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(readdirSync(join(lab.folder, "store/tempdir"))).toEqual([]);
  });
});

describe("before any work", () => {
  test("a user who is not root is told so in one line", async () => {
    const script = lab.script(`${image} ${busybox} PUSH();`);
    // The folders of tests and of the installed package are root's own, so both are shown where all may look.
    const bind = 'mkdir /run/t /run/t/script /run/t/nspawn; mount --bind "$1" /run/t/script; mount --bind "$2" /run/t/nspawn; shift 2';
    const argv = [
      "mount -t tmpfs -o mode=755 tmpfs /run",
      bind,
      'exec setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/ "$@"',
    ].join("\n");
    const within = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", argv, "sh", dirname(script), installed];
    const options = { within, program: "/run/t/nspawn/dist/cli/nspawn-build.cjs" };
    const ended = await lab.run("/run/t/script/build.ts", options);
    expect([1, 2]).toContain(ended.code);
    expect(ended.stderr).toMatch(/root/);
    expect(
      ended.stderr
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("  hint:")),
    ).toHaveLength(1);
    const plan = await lab.run("/run/t/script/build.ts", { ...options, options: ["--plan"] });
    // The store of this test lies in a folder of root's own.
    expect(plan.stderr).toBe(`warning: the store ${lab.folder}/store is closed to this user: what is in it is not known\n`);
    expect(plan.code).toBe(0);
  });

  test("a program that is missing is named with its Debian package, and nothing is done", async () => {
    for (const [program, debian] of [
      ["zstd", "zstd"],
      ["systemd-nspawn", "systemd-container"],
    ] as const) {
      const hide = `mount --bind /dev/null /usr/bin/${program}; exec "$@"`;
      const within = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", hide, "sh"];
      const ended = await lab.run(`${image} ${busybox} RUN(["echo", "ran"]); PUSH();`, { within });
      expect(ended.code, ended.stderr).toBe(1);
      expect(ended.stderr).toMatch(new RegExp(`program ${program} is not installed`));
      expect(ended.stderr).toMatch(new RegExp(`apt-get install ${debian}$`, "m"));
      expect(ended.output).toEqual([]);
    }
    expect(existsSync(target)).toBe(false);
  });

  test("attributes are read and set without the programs of the package attr, and marks found without find", async () => {
    const url = lab.url("without-attr.tar.zst");
    const hide = `for program in getfattr setfattr find; do mount --bind /dev/null "$(command -v "$program")"; done; exec "$@"`;
    const within = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", hide, "sh"];
    const script = `IMAGE("${url}"); ${busybox} COPY("/data"); SH("rm -r /data/gone; mkdir /data/gone /data/new"); PUSH();`;
    const ended = await lab.run(script, { within, files: { "data/a": "a", "data/gone/b": "b" } });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await namesIn(lab.archive("without-attr.tar.zst"))).toEqual(expect.arrayContaining(["./data/a", "./data/gone", "./data/new"]));
  });

  test("all that is wrong in a script is told at once, with its lines", async () => {
    const ended = await failing(`${image}\nCOPY("/missing");\nRUN("not a list" as never);\nWITH({ Bott: true } as never);\nPUSH();`, 2);
    for (const line of [3, 4, 5]) expect(ended.stderr).toMatch(new RegExp(`build\\.ts:${line}: error: `));
  });
});

describe("a push that fails", () => {
  test("since the target's folder is a file names the URL", async () => {
    writeFileSync(lab.archive("file"), "");
    const url = `${lab.url("file")}/x.tar.zst`;
    const ended = await failing(`IMAGE("${url}"); ${busybox} PUSH();`);
    expect(ended.stderr).toContain(url);
  });

  test("since the server takes no PUT names URL and status", async () => {
    const ended = await failing(`IMAGE("${origin}/pushed.tar.zst"); ${busybox} PUSH();`);
    expect(ended.stderr).toContain(`${origin}/pushed.tar.zst`);
    expect(ended.stderr).toContain("404");
  });

  test("for want of space leaves the old image whole", async () => {
    const sandbox = await Sandbox.open();
    try {
      const disk = join(lab.folder, "small");
      await runProgram(["mkdir", disk]);
      await runProgram([...sandbox.within, "mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]);
      const script = (content: string): string => `IMAGE("file://${disk}/x.tar.zst"); ${busybox} SH("${content}"); PUSH();`;
      await lab.build(script("echo small > /f"), { within: sandbox.within });
      const ended = await lab.run(script("head -c 900000 /dev/urandom > /f"), { within: sandbox.within });
      expect(ended.code, ended.stderr).toBe(1);
      expect(ended.stderr).toContain(`file://${disk}/x.tar.zst`);
      expect(ended.stderr).toContain(`the disk of ${disk} is full`);
      const seen = await runProgram([
        ...sandbox.within,
        "sh",
        "-c",
        'ls -A "$1"; cp "$1/x.tar.zst" "$2"',
        "sh",
        disk,
        lab.archive("old.tar.zst"),
      ]);
      expect(seen.toString().trim()).toBe("x.tar.zst");
      expect(await namesIn(lab.archive("old.tar.zst"))).toContain("./f");
    } finally {
      await sandbox.close();
    }
  });
});
