import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lab, namesIn, runProgram } from "./support/build.js";

const lab = new Lab();
const image = `IMAGE("${lab.url("out.tar.gz")}"); PULL("${lab.busybox}");`;
/** Something that takes connections; nothing is sent to it. */
const proxy = createServer();
let proxyUrl: string;

beforeAll(async () => {
  await new Promise<void>((ready) => void proxy.listen(0, "127.0.0.1", ready));
  proxyUrl = `http://me:hunter2@127.0.0.1:${(proxy.address() as AddressInfo).port}/`;
});
afterAll(() => {
  proxy.close();
  lab.remove();
});

describe("proxies for commands of a build", () => {
  const environment = (): Readonly<Record<string, string>> => ({ http_proxy: proxyUrl, no_proxy: "example.org" });
  const variables = (output: readonly string[]): readonly string[] => output.filter((line) => /^(https?|no)_proxy=/i.test(line)).toSorted();

  test("are not there unless they are switched on", async () => {
    const { output } = await lab.build(`${image} RUN(["env"], { cache: false }); PUSH();`, { env: environment() });
    expect(variables(output)).toEqual([]);
  });

  test("are in the environment in both spellings, what the script sets wins, and the image has none of it", async () => {
    const env = { ...environment(), NSPAWN_PROXY_USE_MACHINE_PROXY: "yes" };
    const plain = await lab.build(`${image} RUN(["env"], { cache: false }); PUSH();`, { env });
    expect(variables(plain.output)).toEqual([
      `HTTP_PROXY=${proxyUrl}`,
      "NO_PROXY=example.org",
      `http_proxy=${proxyUrl}`,
      "no_proxy=example.org",
    ]);
    expect((await runProgram(["tar", "-xzOf", lab.archive("out.tar.gz")])).toString()).not.toContain("hunter2");
    const own = await lab.build(`${image} WITH({ Environment: { no_proxy: "own" } }); RUN(["env"], { cache: false }); PUSH();`, { env });
    expect(variables(own.output)).toEqual([`HTTP_PROXY=${proxyUrl}`, `http_proxy=${proxyUrl}`, "no_proxy=own"]);
  });

  test("with a login are in no argument of a process, and not in what the build says", async () => {
    const env = { ...environment(), NSPAWN_PROXY_USE_MACHINE_PROXY: "yes" };
    const { ended } = lab.start(`${image} SH("sleep 1.5; exit 3");`, { env });
    const lines = new Set<string>();
    const look = setInterval(() => {
      for (const line of commandLines()) lines.add(line);
    }, 50);
    const { code, stdout, stderr } = await ended;
    clearInterval(look);
    expect(code).toBe(1);
    expect([...lines].filter((line) => line.includes("--setenv=http_proxy\0"))).not.toEqual([]);
    expect([...lines].filter((line) => line.includes("hunter2"))).toEqual([]);
    expect(stdout + stderr).not.toContain("hunter2");
  });
});

test("BOOTSTRAP goes through the proxy of downloads", async () => {
  const asked: string[] = [];
  const refusing = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  await new Promise<void>((ready) => void refusing.listen(0, "127.0.0.1", ready));
  try {
    const env = { http_proxy: `http://127.0.0.1:${(refusing.address() as AddressInfo).port}` };
    const script = `IMAGE("${lab.url("out.tar.gz")}"); BOOTSTRAP({ distribution: "debian", release: "bookworm", mirror: "http://mirror.example.org/debian" });`;
    expect((await lab.run(script, { env })).code).toBe(1);
    expect(asked).toContain("http://mirror.example.org/debian/dists/bookworm/InRelease");
  } finally {
    refusing.close();
  }
});

test("SH runs by build/shell_invoke", async () => {
  const env = { NSPAWN_BUILD_SHELL_INVOKE: "/bin/sh\n-c\n{script}\nthe-name" };
  expect((await lab.build(`${image} SH("false; echo $0"); PUSH();`, { env })).output).toEqual(["the-name"]);
});

test("the work folder of a build that is to be kept stays, also if the build fails, and over the next start", async () => {
  const env = { NSPAWN_BUILD_PRESERVE_BUILD_DIR: "yes" };
  const { code, stdout } = await lab.run(`${image} SH("echo x > /made"); SH("exit 3");`, { env });
  expect(code).toBe(1);
  const folder = /the work folder of this build is kept: (\/\S+)/.exec(stdout)?.[1] ?? "";
  await lab.build(`${image} PUSH();`);
  expect(readFileSync(join(folder, "step-1/upper/made"), "utf8")).toBe("x\n");
  expect(lab.inProgress()).toHaveLength(1);
  rmSync(folder, { recursive: true });
});

test("layers, work and records lie where the configuration says", async () => {
  const [layers, work] = [join(lab.folder, "elsewhere/layers"), join(lab.folder, "elsewhere/work")];
  const store = join(lab.folder, "other-store");
  mkdirSync(store);
  await lab.build(`${image} RUN(["true"]); PUSH();`, { store, env: { NSPAWN_STORAGE_EXTRACT: layers, NSPAWN_STORAGE_TEMPDIR: work } });
  // The folder of cached steps beside the parent's layer.
  const folders = readdirSync(layers).filter((name) => statSync(join(layers, name)).isDirectory());
  expect(folders).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), "step"]);
  expect(readdirSync(work)).toEqual([]);
  expect(readdirSync(store)).not.toContain("extract");
  expect(await namesIn(lab.archive("out.tar.gz"))).toEqual([".", "./nspawn-image.yaml"]);
});

/** Arguments of all processes, each ended by a NUL. */
function commandLines(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        // It has ended meanwhile.
        return "";
      }
    });
}
